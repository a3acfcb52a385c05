//! What a job's policies make of pods that have ended.

use nakhoda_api::kinds::batch::{
    Job, PodFailurePolicyOnExitCodesRequirement, PodFailurePolicyOnPodConditionsPattern, PodFailurePolicyRule,
};
use nakhoda_api::kinds::core::{ContainerStatus, Pod, PodCondition};
use nakhoda_client::Key;

use super::indexes::Indexes;
use super::spec::{self, completions};

/// What a failure means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// It counts against the back-off limit.
    Count,
    /// It does not count.
    Ignore,
    /// The pod's index has failed.
    FailIndex,
    /// The whole job has failed; why.
    FailJob(String),
}

// === impl Action ===

impl Action {
    /// What the first rule that fits says about a failed pod.
    #[must_use]
    pub fn of(job: &Job, pod: &Pod) -> Self {
        let rules = spec::of(job).pod_failure_policy.iter().flat_map(|p| &p.rules).enumerate();
        rules.map(|(at, rule)| judge(at, rule, pod)).find_map(|action| action).unwrap_or(Self::Count)
    }

    /// Whether the failure counts.
    #[must_use]
    pub fn counts(&self) -> bool {
        *self != Self::Ignore
    }
}

/// Why the success policy says that these indexes are enough.
#[must_use]
pub fn success(job: &Job, succeeded: &Indexes) -> Option<String> {
    let rules = &spec::of(job).success_policy.as_ref()?.rules;
    if succeeded.total() == 0 {
        return None;
    }
    let enough = |count: Option<i32>, have: i32| count.is_some_and(|c| have >= c);
    let at = rules.iter().position(|rule| match &rule.succeeded_indexes {
        None => enough(rule.succeeded_count, succeeded.total()),
        Some(text) => {
            let wanted = Indexes::parse(text, completions(job));
            let have = wanted.overlap(succeeded);
            wanted.total() > 0 && (have == wanted.total() || enough(rule.succeeded_count, have))
        }
    })?;
    Some(format!("Matched rules at index {at}"))
}

/// What one rule says, if it fits.
fn judge(at: usize, rule: &PodFailurePolicyRule, pod: &Pod) -> Option<Action> {
    let key = Key::of(pod);
    let told = if let Some(requirement) = &rule.on_exit_codes {
        let (name, code) = exited(pod, requirement)?;
        format!("Container {name} for pod {key} failed with exit code {code} matching {} rule at index {at}", rule.action)
    } else {
        let found = conditioned(pod, rule.on_pod_conditions.as_ref()?)?;
        format!("Pod {key} has condition {} matching {} rule at index {at}", found.type_, rule.action)
    };
    match rule.action.as_str() {
        "Ignore" => Some(Action::Ignore),
        "FailIndex" => Some(Action::FailIndex),
        "Count" => Some(Action::Count),
        "FailJob" => Some(Action::FailJob(told)),
        _ => None,
    }
}

/// The first container that ended with such a code; the main ones are asked first.
fn exited<'a>(pod: &'a Pod, requirement: &PodFailurePolicyOnExitCodesRequirement) -> Option<(&'a str, i32)> {
    let status = pod.status.as_ref()?;
    let fits = |container: &'a ContainerStatus| {
        let code = container.state.as_ref()?.terminated.as_ref()?.exit_code;
        let named = requirement.container_name.as_ref().is_none_or(|n| *n == container.name);
        let listed = requirement.values.contains(&code);
        let wanted = match requirement.operator.as_str() {
            "In" => listed,
            "NotIn" => !listed,
            _ => false,
        };
        (named && code != 0 && wanted).then_some((container.name.as_str(), code))
    };
    let main = status.container_statuses.iter().flatten();
    main.chain(status.init_container_statuses.iter().flatten()).find_map(fits)
}

fn conditioned<'a>(pod: &'a Pod, patterns: &[PodFailurePolicyOnPodConditionsPattern]) -> Option<&'a PodCondition> {
    let fits = |c: &&PodCondition| {
        patterns.iter().any(|p| p.type_ == c.type_ && p.status.as_deref().unwrap_or("True") == c.status)
    };
    pod.status.as_ref()?.conditions.iter().flatten().find(fits)
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::{edit, exited as ended_with, job, pod};
    use super::*;
    use nakhoda_api::kinds::batch::{PodFailurePolicy, SuccessPolicy, SuccessPolicyRule};

    fn rule(action: &str, operator: &str, values: &[i32]) -> PodFailurePolicyRule {
        let requirement = PodFailurePolicyOnExitCodesRequirement {
            container_name: None,
            operator: operator.into(),
            values: values.to_vec(),
        };
        PodFailurePolicyRule { action: action.into(), on_exit_codes: Some(requirement), on_pod_conditions: None }
    }

    #[test]
    fn the_first_rule_that_fits_decides() {
        let mut job = job(1, 1);
        assert_eq!(Action::of(&job, &ended_with("a", 3)), Action::Count);
        let disrupted = PodFailurePolicyOnPodConditionsPattern { type_: "DisruptionTarget".into(), status: None };
        let ignore = PodFailurePolicyRule {
            action: "Ignore".into(),
            on_exit_codes: None,
            on_pod_conditions: Some(vec![disrupted]),
        };
        edit(&mut job).pod_failure_policy = Some(PodFailurePolicy {
            rules: vec![ignore, rule("FailIndex", "In", &[5]), rule("FailJob", "NotIn", &[0, 1])],
        });
        let mut going = (*ended_with("b", 3)).clone();
        let target = PodCondition { type_: "DisruptionTarget".into(), status: "True".into(), ..PodCondition::default() };
        going.status.as_mut().expect("set").conditions = Some(vec![target]);
        assert_eq!(Action::of(&job, &going), Action::Ignore);
        assert_eq!(Action::of(&job, &ended_with("c", 5)), Action::FailIndex);
        assert_eq!(Action::of(&job, &ended_with("d", 1)), Action::Count);
        assert_eq!(Action::of(&job, &pod("e", "Failed")), Action::Count);
        let message = "Container main for pod default/f failed with exit code 3 matching FailJob rule at index 2";
        assert_eq!(Action::of(&job, &ended_with("f", 3)), Action::FailJob(message.into()));
    }

    #[test]
    fn success_is_enough_indexes_of_a_rule() {
        let mut job = job(3, 6);
        let rule = |indexes: Option<&str>, count| SuccessPolicyRule {
            succeeded_indexes: indexes.map(str::to_owned),
            succeeded_count: count,
        };
        let table = [
            (rule(Some("0-2"), None), "0-1", false),
            (rule(Some("0-2"), None), "0-2", true),
            (rule(Some("0-2"), Some(2)), "1,2", true),
            (rule(Some("0-2"), Some(2)), "2-5", false),
            (rule(None, Some(3)), "3-5", true),
            (rule(None, Some(3)), "", false),
        ];
        for (rule, succeeded, expected) in table {
            edit(&mut job).success_policy = Some(SuccessPolicy { rules: vec![rule] });
            assert_eq!(success(&job, &Indexes::parse(succeeded, 6)).is_some(), expected, "{succeeded}");
        }
    }
}
