//! PodGroup: pods that are scheduled together, and how.

use nakhoda_api::Scope;
use nakhoda_api::field::{Errors, Path};
use nakhoda_api::kinds::scheduling_v1beta1::{DisruptionMode, PodGroup, SingleDisruptionMode};
use serde_json::json;

use crate::kind::{Columns, Cx, Info, Kind, STATUS, STATUS_ONLY};
use crate::rules::check::{keep_metadata, keep_status, list};
use crate::rules::conditions::conditions;
use crate::rules::gang::{self, Common};

/// The kind.
pub struct PodGroups;

const SCHEDULED: &str = "PodGroupInitiallyScheduled";
const DISRUPTED: &str = "DisruptionTarget";

impl Kind for PodGroups {
    type Object = PodGroup;

    fn info() -> Info {
        Info { subresources: &[STATUS], resets: STATUS_ONLY, ..Info::of::<PodGroup>("podgroups", "podgroup", Scope::Namespaced) }
    }

    fn default(group: &mut PodGroup) {
        let single = || DisruptionMode { single: Some(SingleDisruptionMode(json!({}))), all: None };
        group.spec.disruption_mode.get_or_insert_with(single);
    }

    fn prepare(cx: &Cx, new: &mut PodGroup, old: Option<&PodGroup>) {
        keep_status(cx, &mut new.status, old.map(|old| &old.status));
        keep_metadata(cx, &mut new.metadata, old.map(|old| &old.metadata));
        new.spec.parent_composite_pod_group_name = None;
        new.spec.scheduling_constraints = None;
        new.spec.resource_claims = None;
        new.spec.preemption_policy = None;
        if let Some(status) = &mut new.status {
            status.resource_claim_statuses = None;
        }
    }

    fn validate(cx: &Cx, new: &PodGroup, old: Option<&PodGroup>, errors: &mut Errors) {
        if cx.subresource == "status" {
            let all = new.status.as_ref().map(|status| list(&status.conditions)).unwrap_or_default();
            return conditions(errors, &Path::new("status.conditions"), all);
        }
        let path = Path::new("spec");
        let at = path.child("workloadRef");
        if gang::keeps(errors, &at, &new.spec.workload_ref, old.map(|old| &old.spec.workload_ref)) {
            new.spec.workload_ref.iter().for_each(|reference| gang::reference(errors, &at, reference));
        }
        Common::from(&new.spec).check(errors, &path, old.map(|old| (&old.spec).into()));
    }

    fn columns() -> Columns<PodGroup> {
        Columns::<PodGroup>::named()
            .text("Policy", |g, _| if g.spec.scheduling_policy.gang.is_some() { "Gang" } else { "Basic" }.into())
            .text("Workload", |g, _| g.spec.workload_ref.as_ref().map_or("<none>", |r| &r.workload_name).into())
            .text("Status", |g, _| state(g).into())
            .age()
    }
}

fn state(group: &PodGroup) -> &str {
    let all = group.status.as_ref().map(|status| list(&status.conditions)).unwrap_or_default();
    let find = |kind: &str| all.iter().find(|condition| condition.type_ == kind);
    match (find(DISRUPTED), find(SCHEDULED)) {
        (Some(disrupted), _) => &disrupted.reason,
        (None, Some(scheduled)) if scheduled.status == "True" => "Scheduled",
        (None, Some(_)) => "Unschedulable",
        (None, None) => "Pending",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::kinds::testing::{create, defaulted, prepared, row, update};

    fn group(policy: &Value) -> Value {
        json!({"metadata": {"name": "g"}, "spec": {"schedulingPolicy": policy,
            "workloadRef": {"workloadName": "w", "templateName": "t"}}})
    }

    #[test]
    fn a_group_has_one_policy_and_a_gang_needs_somebody() {
        let faults = |policy: Value| create::<PodGroups>(group(&policy));
        assert_eq!(faults(json!({"gang": {"minCount": 2}})), "");
        assert_eq!(faults(json!({"basic": {}})), "");
        let at = "spec.schedulingPolicy";
        assert_eq!(faults(json!({})), format!("{at}: Invalid value: \"\": must specify one of: `basic`, `gang`"));
        assert!(faults(json!({"basic": {}, "gang": {"minCount": 1}})).contains("{`basic`, `gang`}"));
        assert_eq!(faults(json!({"gang": {"minCount": 0}})), format!("{at}.gang.minCount: Required value"));
        assert!(faults(json!({"gang": {"minCount": -1}})).contains("must be greater than or equal to 1"));
    }

    #[test]
    fn what_a_group_needs_may_change_and_nothing_else() {
        let gang = |count: i32| group(&json!({"gang": {"minCount": count}}));
        assert_eq!(update::<PodGroups>(gang(2), gang(3)), "");
        assert!(update::<PodGroups>(gang(2), group(&json!({"basic": {}}))).contains("cannot be cleared once set"));
        let mut other = gang(2);
        other["spec"]["workloadRef"]["workloadName"] = json!("v");
        assert!(update::<PodGroups>(gang(2), other).contains("spec.workloadRef: Invalid value"));
        let mut all = gang(2);
        all["spec"]["disruptionMode"] = json!({"all": {}});
        assert!(update::<PodGroups>(defaulted::<PodGroups>(gang(2)), all).contains("field is immutable"));
    }

    #[test]
    fn members_go_one_by_one_unless_told_otherwise_and_closed_fields_are_dropped() {
        let mut made = group(&json!({"gang": {"minCount": 2}}));
        made["spec"]["schedulingConstraints"] = json!({"topology": [{"key": "rack"}]});
        made["status"] = json!({"conditions": []});
        let made = prepared::<PodGroups>(defaulted::<PodGroups>(made), None);
        assert_eq!(made["spec"]["disruptionMode"], json!({"single": {}}));
        assert!(made["spec"].get("schedulingConstraints").is_none() && made.get("status").is_none());
        assert_eq!(row::<PodGroups>(made)[1..4], [json!("Gang"), json!("w"), json!("Pending")]);
    }
}
