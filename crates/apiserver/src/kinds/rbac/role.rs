//! Role: permissions within a namespace.

use nakhoda_api::Scope;
use nakhoda_api::field::Errors;
use nakhoda_api::kinds::rbac::Role;

use crate::kind::{Columns, Cx, Info, Kind, NameRule};
use crate::rules::rbac;

/// The kind.
pub struct Roles;

impl Kind for Roles {
    type Object = Role;

    fn info() -> Info {
        Info {
            names: NameRule::Segment,
            create_on_update: true,
            ..Info::of::<Role>("roles", "role", Scope::Namespaced)
        }
    }

    fn validate(_: &Cx, new: &Role, _: Option<&Role>, errors: &mut Errors) {
        rbac::rules(errors, &new.rules, true);
    }

    fn columns() -> Columns<Role> {
        Columns::created()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::kinds::testing::{create, row};

    #[test]
    fn rules_name_verbs_groups_and_resources() {
        assert_eq!(
            create::<Roles>(json!({"rules": [{"verbs": []}, {"verbs": ["get"], "nonResourceURLs": ["/x"]}]})),
            "[rules[0].verbs: Required value: verbs must contain at least one value, \
             rules[0].apiGroups: Required value: resource rules must supply at least one api group, \
             rules[0].resources: Required value: resource rules must supply at least one resource, \
             rules[1].nonResourceURLs: Invalid value: [\"/x\"]: namespaced rules cannot apply to non-resource URLs]"
        );
        let role = json!({"metadata": {"name": "r", "creationTimestamp": "2026-01-02T03:04:00Z"}});
        assert_eq!(row::<Roles>(role), ["r", "2026-01-02T03:04:00Z"]);
    }
}
