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
