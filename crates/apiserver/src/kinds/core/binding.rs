//! Binding: puts a pod on a node. Created as `pods/binding`, or in this old collection; never stored.

use nakhoda_api::Scope;
use nakhoda_api::field::{Errors, Path};
use nakhoda_api::kinds::core::Binding;

use crate::kind::{Cx, Info, Kind};
use crate::rules::check::{required, text};

/// The kind.
pub struct Bindings;

impl Kind for Bindings {
    type Object = Binding;

    fn info() -> Info {
        Info { verbs: &["create"], virtual_: true, ..Info::of::<Binding>("bindings", "binding", Scope::Namespaced) }
    }

    fn validate(_: &Cx, new: &Binding, _: Option<&Binding>, errors: &mut Errors) {
        let path = Path::new("target");
        let kind = text(&new.target.kind);
        if !["", "Node"].contains(&kind) {
            errors.not_supported(&path.child("kind"), kind, &["Node", "<empty>"]);
        }
        required(errors, &path.child("name"), text(&new.target.name));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::kinds::testing::create;

    #[test]
    fn pods_are_bound_to_nodes() {
        assert_eq!(create::<Bindings>(json!({"target": {"kind": "Node", "name": "a"}})), "");
        assert_eq!(
            create::<Bindings>(json!({"target": {"kind": "Pod"}})),
            "[target.kind: Unsupported value: \"Pod\": supported values: \"Node\", \"<empty>\", target.name: Required value]"
        );
    }
}
