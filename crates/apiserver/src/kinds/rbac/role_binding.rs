//! RoleBinding: gives subjects the permissions of a role, within a namespace.

use nakhoda_api::Scope;
use nakhoda_api::field::Errors;
use nakhoda_api::kinds::rbac::{RoleBinding, RoleRef, Subject};

use crate::kind::{Columns, Cx, Info, Kind, NameRule};
use crate::rules::check::list;
use crate::rules::rbac::{self, Binding};

/// The kind.
pub struct RoleBindings;

impl Kind for RoleBindings {
    type Object = RoleBinding;

    fn info() -> Info {
        Info {
            names: NameRule::Segment,
            create_on_update: true,
            ..Info::of::<RoleBinding>("rolebindings", "rolebinding", Scope::Namespaced)
        }
    }

    fn default(binding: &mut RoleBinding) {
        rbac::default(&mut binding.role_ref, &mut binding.subjects);
    }

    fn validate(_: &Cx, new: &RoleBinding, old: Option<&RoleBinding>, errors: &mut Errors) {
        rbac::binding(errors, &new.role_ref, &new.subjects, &["Role", "ClusterRole"]);
        if let Some(old) = old {
            rbac::role_stays(errors, &new.role_ref, &old.role_ref);
        }
    }

    fn columns() -> Columns<RoleBinding> {
        rbac::columns()
    }
}

impl Binding for RoleBinding {
    fn role(&self) -> &RoleRef {
        &self.role_ref
    }

    fn subjects(&self) -> &[Subject] {
        list(&self.subjects)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::kinds::testing::create;

    #[test]
    fn roles_of_the_namespace_and_of_the_cluster_can_be_bound() {
        let bound = |kind: &str| {
            create::<RoleBindings>(json!({"roleRef": {"apiGroup": rbac::GROUP, "kind": kind, "name": "r"},
                                          "subjects": [{"kind": "ServiceAccount", "name": "s"}]}))
        };
        assert_eq!((bound("Role"), bound("ClusterRole")), (String::new(), String::new()));
        assert_eq!(bound("X"), "roleRef.kind: Unsupported value: \"X\": supported values: \"Role\", \"ClusterRole\"");
    }
}
