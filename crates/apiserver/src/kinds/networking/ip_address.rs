//! IPAddress: an address that somebody holds. Those of Services are made and removed with them.

use nakhoda_api::Scope;
use nakhoda_api::field::{Errors, Path};
use nakhoda_api::kinds::networking::{IPAddress, ParentReference};
use nakhoda_api::names;

use crate::kind::{Columns, Cx, FieldPath, Info, Kind, NameRule};
use crate::rules::check::{each, immutable, subdomain, text};
use crate::rules::reference::segment;

/// The kind.
pub struct IPAddresses;

impl Kind for IPAddresses {
    type Object = IPAddress;

    const OPTIONAL: &'static [FieldPath] = &[&["spec", "parentRef"]];

    fn info() -> Info {
        Info {
            short: &["ip"],
            names: NameRule::Address,
            ..Info::of::<IPAddress>("ipaddresses", "ipaddress", Scope::Cluster)
        }
    }

    fn validate(cx: &Cx, new: &IPAddress, old: Option<&IPAddress>, errors: &mut Errors) {
        let path = Path::new("spec.parentRef");
        if cx.lacks(&["spec", "parentRef"]) {
            errors.required(&path, "");
        } else {
            parent(errors, &path, &new.spec.parent_ref);
        }
        if let Some(old) = old {
            immutable(errors, &path, &new.spec.parent_ref, &old.spec.parent_ref);
        }
    }

    fn columns() -> Columns<IPAddress> {
        Columns::<IPAddress>::named().text("ParentRef", |a, _| shown(&a.spec.parent_ref).into())
    }
}

fn parent(errors: &mut Errors, path: &Path, parent: &ParentReference) {
    if !text(&parent.group).is_empty() {
        subdomain(errors, &path.child("group"), text(&parent.group));
    }
    segment(errors, &path.child("resource"), &parent.resource);
    segment(errors, &path.child("name"), &parent.name);
    let namespace = text(&parent.namespace);
    each(errors, &path.child("namespace"), namespace, names::is_path_segment_name(namespace));
}

fn shown(parent: &ParentReference) -> String {
    let group = match text(&parent.group) {
        "" => String::new(),
        group => format!(".{group}"),
    };
    let namespace = match text(&parent.namespace) {
        "" => String::new(),
        namespace => format!("/{namespace}"),
    };
    format!("{}{namespace}/{}", format!("{}{group}", parent.resource).to_lowercase(), parent.name)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::kinds::testing::{create, row, update};

    #[test]
    fn a_parent_is_needed_and_stays() {
        let held = |name: &str| json!({"metadata": {"name": "10.0.0.1"}, "spec": {"parentRef": {"resource": "services", "namespace": "a", "name": name}}});
        assert_eq!(create::<IPAddresses>(held("b")), "");
        assert_eq!(
            create::<IPAddresses>(json!({"metadata": {"name": "10.0.0.1"}, "spec": {"parentRef": {}}})),
            "[spec.parentRef.resource: Required value, spec.parentRef.name: Required value]"
        );
        let alone = json!({"metadata": {"name": "10.0.0.1"}, "spec": {}});
        assert_eq!(create::<IPAddresses>(alone), "spec.parentRef: Required value");
        assert!(update::<IPAddresses>(held("b"), held("c")).ends_with("field is immutable"));
        assert_eq!(row::<IPAddresses>(held("b"))[1], "services/a/b");
    }
}
