//! ClusterRole: permissions on everything, or to be bound in namespaces.

use nakhoda_api::Scope;
use nakhoda_api::field::{Errors, Path};
use nakhoda_api::kinds::rbac::ClusterRole;

use crate::kind::{Columns, Cx, Info, Kind, NameRule};
use crate::rules::check::{list, selector};
use crate::rules::rbac;

/// The kind.
pub struct ClusterRoles;

impl Kind for ClusterRoles {
    type Object = ClusterRole;

    fn info() -> Info {
        Info {
            names: NameRule::Segment,
            create_on_update: true,
            ..Info::of::<ClusterRole>("clusterroles", "clusterrole", Scope::Cluster)
        }
    }

    fn validate(_: &Cx, new: &ClusterRole, _: Option<&ClusterRole>, errors: &mut Errors) {
        rbac::rules(errors, &new.rules, false);
        let Some(aggregation) = &new.aggregation_rule else { return };
        let path = Path::new("aggregationRule.clusterRoleSelectors");
        let selectors = list(&aggregation.cluster_role_selectors);
        if selectors.is_empty() {
            errors.required(&path, "at least one clusterRoleSelector required if aggregationRule is non-nil");
        }
        for (i, one) in selectors.iter().enumerate() {
            let mut faults = Errors::default();
            selector(&mut faults, &path.index(i), Some(one));
            if !faults.is_empty() {
                errors.extend(faults);
                errors.invalid(&path.index(i), serde_json::Value::Null, "invalid label selector.");
            }
        }
    }

    fn columns() -> Columns<ClusterRole> {
        Columns::created()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::kinds::testing::create;

    #[test]
    fn an_aggregation_selects_something() {
        assert_eq!(
            create::<ClusterRoles>(json!({"aggregationRule": {}, "rules": [
                {"verbs": ["get"], "nonResourceURLs": ["/x"], "resources": ["pods"]}]})),
            "[rules[0].nonResourceURLs: Invalid value: [\"/x\"]: rules cannot apply to both regular resources and non-resource URLs, \
             aggregationRule.clusterRoleSelectors: Required value: at least one clusterRoleSelector required if aggregationRule is non-nil]"
        );
    }
}
