//! ControllerRevision: a template as it once was. Its data never changes.

use nakhoda_api::Scope;
use nakhoda_api::field::{Errors, Path};
use nakhoda_api::gvk::{GroupKind, GroupVersion};
use nakhoda_api::kinds::apps::ControllerRevision;
use serde_json::Value;

use crate::kind::{Columns, Cx, Info, Kind};
use crate::rules::check::{immutable, list, nonnegative};

/// The kind.
pub struct ControllerRevisions;

impl Kind for ControllerRevisions {
    type Object = ControllerRevision;

    fn info() -> Info {
        Info::of::<ControllerRevision>("controllerrevisions", "controllerrevision", Scope::Namespaced)
    }

    fn validate(_: &Cx, new: &ControllerRevision, old: Option<&ControllerRevision>, errors: &mut Errors) {
        let path = Path::new("data");
        nonnegative(errors, &Path::new("revision"), new.revision);
        match (old, &new.data.0) {
            (Some(old), _) => immutable(errors, &path, &new.data, &old.data),
            (None, Value::Null) => errors.required(&path, "data is mandatory"),
            (None, Value::Object(_)) => {}
            (None, _) => errors.required(&path, "data must be a valid JSON object"),
        }
    }

    fn columns() -> Columns<ControllerRevision> {
        Columns::<ControllerRevision>::named()
            .text("Controller", |r, _| controller(r).into())
            .text("Revision", |r, _| r.revision.unwrap_or(0).into())
            .age()
    }
}

fn controller(revision: &ControllerRevision) -> String {
    let owner = list(&revision.metadata.owner_references).iter().find(|o| o.controller == Some(true));
    let Some(owner) = owner else { return "<none>".into() };
    let group = GroupVersion::parse(&owner.api_version).unwrap_or_default().group;
    let kind = GroupKind { group, kind: owner.kind.clone() };
    format!("{}/{}", kind.to_string().to_lowercase(), owner.name)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::kinds::testing::{create, row, update};

    #[test]
    fn data_is_an_object_that_stays() {
        assert_eq!(create::<ControllerRevisions>(json!({"revision": 1})), "data: Required value: data is mandatory");
        assert_eq!(
            update::<ControllerRevisions>(json!({"data": {"a": 1}}), json!({"data": {"a": 2}})),
            "data: Invalid value: {\"a\":2}: field is immutable"
        );
    }

    #[test]
    fn the_row_names_the_controller() {
        let owner = json!({"apiVersion": "apps/v1", "kind": "DaemonSet", "name": "d", "uid": "u", "controller": true});
        let revision = json!({"metadata": {"name": "a", "ownerReferences": [owner]}, "revision": 2});
        assert_eq!(row::<ControllerRevisions>(revision)[1..3], [json!("daemonset.apps/d"), json!(2)]);
    }
}
