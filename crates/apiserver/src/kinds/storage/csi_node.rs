//! CSINode: which storage drivers run on a node, and what the node is called by each.
//!
//! Absent: the health of storage, whose switch is off.

use nakhoda_api::Scope;
use nakhoda_api::field::{Errors, Path};
use nakhoda_api::kinds::storage::{CSINode, CSINodeDriver};

use crate::kind::{Columns, Cx, Info, Kind};
use crate::rules::check::{IMMUTABLE, list, nonnegative, qualified, required, same};
use crate::rules::volume::sources;

/// The kind.
pub struct CsiNodes;

const NODE_ID: usize = 256;

impl Kind for CsiNodes {
    type Object = CSINode;

    fn info() -> Info {
        Info {
            unconditional_update: false,
            returns_deleted: true,
            ..Info::of::<CSINode>("csinodes", "csinode", Scope::Cluster)
        }
    }

    fn prepare(_: &Cx, new: &mut CSINode, _: Option<&CSINode>) {
        new.status = None;
    }

    fn validate(_: &Cx, new: &CSINode, old: Option<&CSINode>, errors: &mut Errors) {
        let (path, drivers) = (Path::new("spec").child("drivers"), &new.spec.drivers);
        for (i, one) in drivers.iter().enumerate() {
            driver(errors, &path.index(i), one, &drivers[..i]);
        }
        // how many volumes fit may change
        let fixed = |driver: &CSINodeDriver| CSINodeDriver { allocatable: None, ..driver.clone() };
        for before in old.iter().flat_map(|old| &old.spec.drivers) {
            for now in drivers.iter().filter(|d| d.name == before.name && !same(&fixed(d), &fixed(before))) {
                errors.invalid(&path, internal(now), IMMUTABLE);
            }
        }
    }

    fn columns() -> Columns<CSINode> {
        Columns::<CSINode>::named().number("Drivers", |n, _| n.spec.drivers.len().into()).age()
    }
}

/// As upstream's internal type prints.
fn internal(driver: &CSINodeDriver) -> serde_json::Value {
    serde_json::json!({"Name": driver.name, "NodeID": driver.node_id, "TopologyKeys": driver.topology_keys, "Allocatable": null})
}

fn driver(errors: &mut Errors, path: &Path, driver: &CSINodeDriver, before: &[CSINodeDriver]) {
    sources::driver(errors, &path.child("name"), &driver.name);
    let at = path.child("nodeID");
    required(errors, &at, &driver.node_id);
    if driver.node_id.len() > NODE_ID {
        errors.invalid(&at, driver.node_id.as_str(), format!("must be {NODE_ID} characters or less"));
    }
    nonnegative(errors, &path.child("allocatable").child("count"), driver.allocatable.as_ref().and_then(|a| a.count));
    if before.iter().any(|other| other.name == driver.name) {
        errors.duplicate(&path.child("name"), driver.name.as_str());
    }
    let keys = list(&driver.topology_keys);
    for (i, key) in keys.iter().enumerate() {
        required(errors, path, key);
        if keys[..i].contains(key) {
            errors.duplicate(path, key.as_str());
        }
        qualified(errors, path, key);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::kinds::testing::{create, update};

    #[test]
    fn a_driver_stands_once_and_stays_as_it_is() {
        let node = |drivers| json!({"metadata": {"name": "n"}, "spec": {"drivers": drivers}});
        assert_eq!(
            create::<CsiNodes>(node(json!([{"name": "d", "nodeID": "n"}, {"name": "d", "nodeID": ""}]))),
            "[spec.drivers[1].nodeID: Required value, spec.drivers[1].name: Duplicate value: \"d\"]"
        );
        let driver = |id, count| node(json!([{"name": "d", "nodeID": id, "allocatable": {"count": count}}]));
        assert_eq!(update::<CsiNodes>(driver("n", 1), driver("n", 2)), "");
        assert_eq!(
            update::<CsiNodes>(driver("n", 1), driver("m", 1)),
            "spec.drivers: Invalid value: {\"Name\":\"d\",\"NodeID\":\"m\",\"TopologyKeys\":null,\"Allocatable\":null}: field is immutable"
        );
    }
}
