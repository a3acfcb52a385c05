//! CSIStorageCapacity: how much storage of a class a driver can still give in a part of the cluster.

use nakhoda_api::Scope;
use nakhoda_api::field::{Errors, Path};
use nakhoda_api::kinds::storage::CSIStorageCapacity;
use nakhoda_api::quantity::Quantity;
use serde_json::Value;

use crate::kind::{Columns, Cx, Info, Kind};
use crate::rules::check::{IMMUTABLE, list, same, selector, subdomain};
use crate::rules::pod::warnings::labels;

/// The kind.
pub struct CsiStorageCapacities;

impl Kind for CsiStorageCapacities {
    type Object = CSIStorageCapacity;

    fn info() -> Info {
        Info {
            unconditional_update: false,
            ..Info::of::<CSIStorageCapacity>("csistoragecapacities", "csistoragecapacity", Scope::Namespaced)
        }
    }

    fn validate(_: &Cx, new: &CSIStorageCapacity, old: Option<&CSIStorageCapacity>, errors: &mut Errors) {
        let (topology, class) = (Path::new("nodeTopology"), Path::new("storageClassName"));
        selector(errors, &topology, new.node_topology.as_ref());
        subdomain(errors, &class, &new.storage_class_name);
        if let Some(Ok(amount)) = new.capacity.as_ref().map(Quantity::try_from)
            && amount.is_negative()
        {
            let why = "must be greater than or equal to 0";
            errors.invalid(&Path::new("capacity"), amount.to_string(), why);
        }
        let Some(old) = old else { return };
        if !same(&new.node_topology, &old.node_topology) {
            errors.invalid(&topology, serde_json::to_value(&new.node_topology).unwrap_or(Value::Null), IMMUTABLE);
        }
        if new.storage_class_name != old.storage_class_name {
            errors.invalid(&class, new.storage_class_name.as_str(), IMMUTABLE);
        }
    }

    fn warnings(new: &CSIStorageCapacity, _: Option<&CSIStorageCapacity>) -> Vec<String> {
        let Some(topology) = &new.node_topology else { return Vec::new() };
        let expressions = list(&topology.match_expressions).iter().enumerate();
        let told = expressions.filter_map(|(i, one)| {
            let (key, text) = (&one.key, labels::deprecated(&one.key)?);
            Some(format!("nodeTopology.matchExpressions[{i}].key: {key} is {text}"))
        });
        let labels = topology.match_labels.iter().flatten().filter_map(|(label, _)| {
            Some(format!("nodeTopology.matchLabels.{label}: {}", labels::deprecated(label)?))
        });
        told.chain(labels).collect()
    }

    fn columns() -> Columns<CSIStorageCapacity> {
        // upstream has a printer for it that its storage does not use
        Columns::created()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::kinds::testing::{create, update};

    #[test]
    fn what_was_asked_stays_and_the_answer_may_change() {
        let capacity = |class, amount| json!({"metadata": {"name": "a"}, "storageClassName": class, "capacity": amount});
        assert_eq!(
            create::<CsiStorageCapacities>(capacity("a", "-1")),
            "capacity: Invalid value: \"-1\": must be greater than or equal to 0"
        );
        assert_eq!(
            update::<CsiStorageCapacities>(capacity("a", "1"), capacity("b", "2")),
            "storageClassName: Invalid value: \"b\": field is immutable"
        );
    }
}
