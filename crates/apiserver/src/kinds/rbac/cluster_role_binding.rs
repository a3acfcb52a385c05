//! ClusterRoleBinding: gives subjects the permissions of a role, everywhere.

use nakhoda_api::Scope;
use nakhoda_api::field::Errors;
use nakhoda_api::kinds::rbac::{ClusterRoleBinding, RoleRef, Subject};

use crate::kind::{Columns, Cx, Info, Kind, NameRule};
use crate::rules::check::list;
use crate::rules::rbac::{self, Binding};

/// The kind.
pub struct ClusterRoleBindings;

impl Kind for ClusterRoleBindings {
    type Object = ClusterRoleBinding;

    fn info() -> Info {
        Info {
            names: NameRule::Segment,
            create_on_update: true,
            ..Info::of::<ClusterRoleBinding>("clusterrolebindings", "clusterrolebinding", Scope::Cluster)
        }
    }

    fn default(binding: &mut ClusterRoleBinding) {
        rbac::default(&mut binding.role_ref, &mut binding.subjects);
    }

    fn validate(_: &Cx, new: &ClusterRoleBinding, old: Option<&ClusterRoleBinding>, errors: &mut Errors) {
        rbac::binding(errors, &new.role_ref, &new.subjects, &["ClusterRole"]);
        if let Some(old) = old {
            rbac::role_stays(errors, &new.role_ref, &old.role_ref);
        }
    }

    fn columns() -> Columns<ClusterRoleBinding> {
        rbac::columns()
    }
}

impl Binding for ClusterRoleBinding {
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
    use crate::kinds::testing::{create, defaulted, row, update};

    #[test]
    fn groups_are_filled_in_and_subjects_shown() {
        let binding = defaulted::<ClusterRoleBindings>(json!({
            "metadata": {"name": "b"}, "roleRef": {"kind": "ClusterRole", "name": "admin"},
            "subjects": [{"kind": "User", "name": "u"}, {"kind": "ServiceAccount", "name": "s", "namespace": "n"}],
        }));
        assert_eq!(binding["roleRef"]["apiGroup"], "rbac.authorization.k8s.io");
        assert_eq!(create::<ClusterRoleBindings>(binding.clone()), "");
        assert_eq!(row::<ClusterRoleBindings>(binding)[1..], ["ClusterRole/admin", "<unknown>", "u", "", "n/s"]);
    }

    #[test]
    fn faults_read_as_upstream_words_them() {
        let role = |name: &str| json!({"roleRef": {"apiGroup": rbac::GROUP, "kind": "ClusterRole", "name": name}});
        let mut new = role("b");
        new["subjects"] = json!([{"kind": "ServiceAccount", "name": "s"}, {"kind": "X", "name": "x"}]);
        assert_eq!(
            update::<ClusterRoleBindings>(role("a"), new),
            "[subjects[0].namespace: Required value, \
             subjects[1].kind: Unsupported value: \"X\": supported values: \"ServiceAccount\", \"User\", \"Group\", \
             roleRef: Invalid value: {\"apiGroup\":\"rbac.authorization.k8s.io\",\"kind\":\"ClusterRole\",\"name\":\"b\"}: cannot change roleRef]"
        );
    }
}
