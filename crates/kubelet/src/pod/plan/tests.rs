use serde_json::{Value, json};

use super::*;
use crate::cri::v1;
use crate::pod::observed::Sandbox;

fn pod(spec: Value) -> Pod {
    let pod = json!({"metadata": {"name": "p", "namespace": "d", "uid": "u"}, "spec": spec});
    serde_json::from_value(pod).expect("a pod")
}

fn sandbox(id: &str, attempt: u32, ready: bool) -> Sandbox {
    Sandbox { id: id.into(), attempt, ready, ips: vec!["10.0.0.1".into()] }
}

fn seen(sandbox: &str, container: &Container, state: v1::ContainerState, exit_code: i32) -> Seen {
    let status = v1::ContainerStatus {
        id: format!("{}-id", container.name),
        metadata: Some(v1::ContainerMetadata { name: container.name.clone(), attempt: 0 }),
        state: state.into(),
        exit_code,
        finished_at: 1_000_000_000,
        annotations: labels::annotations(container, 0, ""),
        ..Default::default()
    };
    Seen { sandbox: sandbox.into(), status }
}

fn decide(pod: &Pod, observed: &Observed) -> Plan {
    let inputs = Inputs {
        observed,
        verdicts: &Verdicts::default(),
        backoff: &Backoff::default(),
        ledger: &Ledger::default(),
        stopped: &HashSet::new(),
        now: Timestamp::from_second(2).expect("in range"),
    };
    plan(pod, &inputs)
}

fn started(plan: &Plan) -> Vec<&str> {
    plan.actions
        .iter()
        .filter_map(|action| match action {
            Action::Start { name, .. } => Some(name.as_str()),
            Action::StopSandbox(_) | Action::CreateSandbox { .. } | Action::Kill { .. } | Action::Resize(_) => None,
        })
        .collect()
}

#[test]
fn a_new_pod_gets_its_sandbox_first() {
    let pod = pod(json!({"containers": [{"name": "a", "image": "i"}]}));
    assert_eq!(decide(&pod, &Observed::default()).actions, [Action::CreateSandbox { attempt: 0 }]);
}

#[test]
fn all_app_containers_start_together() {
    let pod = pod(json!({"containers": [{"name": "a", "image": "i"}, {"name": "b", "image": "i"}]}));
    let observed = Observed::new(vec![sandbox("s", 0, true)], vec![]);
    assert_eq!(started(&decide(&pod, &observed)), ["a", "b"]);
}

#[test]
fn init_containers_run_one_by_one_and_sidecars_stay() {
    let pod = pod(json!({
        "initContainers": [{"name": "i1", "image": "i"}, {"name": "s1", "image": "i", "restartPolicy": "Always"}, {"name": "i2", "image": "i"}],
        "containers": [{"name": "a", "image": "i"}],
    }));
    let inits = spec::inits(spec::of(&pod)).to_vec();
    let boxes = || vec![sandbox("s", 0, true)];
    let exited = |c: &Container| seen("s", c, v1::ContainerState::ContainerExited, 0);
    assert_eq!(started(&decide(&pod, &Observed::new(boxes(), vec![]))), ["i1"]);
    assert_eq!(started(&decide(&pod, &Observed::new(boxes(), vec![exited(&inits[0])]))), ["s1"]);
    let running = seen("s", &inits[1], v1::ContainerState::ContainerRunning, 0);
    let mut verdicts = Verdicts::default();
    let observed = Observed::new(boxes(), vec![exited(&inits[0]), running]);
    let backoff = Backoff::default();
    let look = |verdicts: &Verdicts| {
        let (ledger, stopped) = (Ledger::default(), HashSet::new());
        let now = Timestamp::UNIX_EPOCH;
        let inputs =
            Inputs { observed: &observed, verdicts, backoff: &backoff, ledger: &ledger, stopped: &stopped, now };
        started(&plan(&pod, &inputs)).iter().map(|s| (*s).to_owned()).collect::<Vec<_>>()
    };
    assert!(look(&verdicts).is_empty(), "the next waits until the sidecar has started");
    verdicts.set_started("s1", "s1-id");
    assert_eq!(look(&verdicts), ["i2"]);
}

#[test]
fn a_failed_init_container_ends_a_pod_that_never_restarts() {
    let pod = pod(
        json!({"restartPolicy": "Never", "initContainers": [{"name": "i1", "image": "i"}], "containers": [{"name": "a", "image": "i"}]}),
    );
    let init = spec::inits(spec::of(&pod))[0].clone();
    let observed =
        Observed::new(vec![sandbox("s", 0, true)], vec![seen("s", &init, v1::ContainerState::ContainerExited, 1)]);
    assert_eq!(decide(&pod, &observed), Plan::default());
}

#[test]
fn restarts_follow_the_policy() {
    for (policy, code, restarts) in
        [("Always", 0, true), ("Always", 1, true), ("OnFailure", 0, false), ("OnFailure", 1, true), ("Never", 1, false)]
    {
        let pod = pod(json!({"restartPolicy": policy, "containers": [{"name": "a", "image": "i"}]}));
        let ended = seen("s", &spec::of(&pod).containers[0], v1::ContainerState::ContainerExited, code);
        let observed = Observed::new(vec![sandbox("s", 0, true)], vec![ended]);
        let expected =
            if restarts { vec![Action::Start { name: "a".into(), role: Role::App, restarts: 1 }] } else { vec![] };
        assert_eq!(decide(&pod, &observed).actions, expected, "{policy} {code}");
    }
}

#[test]
fn the_second_restart_waits_and_says_so() {
    let pod = pod(json!({"containers": [{"name": "a", "image": "i"}]}));
    let container = &spec::of(&pod).containers[0];
    let ended = seen("s", container, v1::ContainerState::ContainerExited, 1);
    let observed = Observed::new(vec![sandbox("s", 0, true)], vec![ended]);
    let now = Timestamp::from_second(2).expect("in range");
    let mut backoff = Backoff::default();
    backoff.next(&key(container), now, now);
    let inputs = Inputs {
        observed: &observed,
        verdicts: &Verdicts::default(),
        backoff: &backoff,
        ledger: &Ledger::default(),
        stopped: &HashSet::new(),
        now,
    };
    let plan = plan(&pod, &inputs);
    assert!(plan.actions.is_empty());
    assert_eq!(plan.waiting["a"], "back-off 10s restarting failed container=a pod=p_d(u)");
    assert_eq!(plan.wake, Some(SignedDuration::from_secs(9)));
}

#[test]
fn a_dead_sandbox_is_replaced() {
    let pod = pod(json!({"containers": [{"name": "a", "image": "i"}]}));
    let observed = Observed::new(vec![sandbox("s", 3, false)], vec![]);
    assert_eq!(decide(&pod, &observed).actions, [Action::CreateSandbox { attempt: 4 }]);
}

#[test]
fn a_changed_image_replaces_the_container_alone() {
    let old = pod(json!({"containers": [{"name": "a", "image": "i:1"}]}));
    let new = pod(json!({"containers": [{"name": "a", "image": "i:2"}]}));
    let running = seen("s", &spec::of(&old).containers[0], v1::ContainerState::ContainerRunning, 0);
    let observed = Observed::new(vec![sandbox("s", 0, true)], vec![running]);
    assert!(matches!(decide(&new, &observed).actions[..], [Action::Kill { .. }]));
    assert!(decide(&old, &observed).actions.is_empty());
}

#[test]
fn a_container_that_joined_starts_once_and_at_once() {
    let spec = json!({"initContainers": [{"name": "i", "image": "i"}], "containers": [{"name": "a", "image": "i"}],
        "ephemeralContainers": [{"name": "e", "image": "i"}]});
    let pod = pod(spec);
    let observed = Observed::new(vec![sandbox("s", 0, true)], vec![]);
    assert_eq!(started(&decide(&pod, &observed)), ["e", "i"]);
    let joined = spec::as_container(&spec::ephemerals(spec::of(&pod))[0]);
    let ended = seen("s", &joined, v1::ContainerState::ContainerExited, 1);
    let observed = Observed::new(vec![sandbox("s", 0, true)], vec![ended]);
    assert_eq!(started(&decide(&pod, &observed)), ["i"]);
}

#[test]
fn another_size_is_told_or_needs_a_restart() {
    let sized = |cpu: &str, policy: &str| {
        let resources = json!({"requests": {"cpu": cpu}});
        let policy = json!([{"resourceName": "cpu", "restartPolicy": policy}]);
        pod(json!({"containers": [{"name": "a", "image": "i", "resources": resources, "resizePolicy": policy}],
            "restartPolicy": "OnFailure"}))
    };
    let ledger = Ledger { actuated: super::super::sizes::of(spec::of(&sized("1", ""))), ..Ledger::default() };
    let decide = |pod: &Pod, state, stopped: &[&str]| {
        let one = seen("s", &spec::of(pod).containers[0], state, 0);
        let observed = Observed::new(vec![sandbox("s", 0, true)], vec![one]);
        let stopped = stopped.iter().map(|id| (*id).to_owned()).collect();
        let now = Timestamp::from_second(2).expect("in range");
        let (verdicts, backoff) = (Verdicts::default(), Backoff::default());
        let inputs = Inputs {
            observed: &observed,
            verdicts: &verdicts,
            backoff: &backoff,
            ledger: &ledger,
            stopped: &stopped,
            now,
        };
        plan(pod, &inputs).actions
    };
    let running = v1::ContainerState::ContainerRunning;
    let change = Resize { id: "a-id".into(), name: "a".into() };
    assert_eq!(decide(&sized("2", "NotRequired"), running, &[]), [Action::Resize(vec![change])]);
    assert!(decide(&sized("1000m", "RestartContainer"), running, &[]).is_empty());
    let restarted = sized("2", "RestartContainer");
    assert!(
        matches!(&decide(&restarted, running, &[])[..], [Action::Kill { why, .. }] if why == "Container a resize requires restart")
    );
    let exited = v1::ContainerState::ContainerExited;
    assert!(decide(&restarted, exited, &[]).is_empty());
    assert!(matches!(decide(&restarted, exited, &["a-id"])[..], [Action::Start { restarts: 1, .. }]));
}
