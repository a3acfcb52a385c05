use serde_json::{Value, json};

use super::*;
use crate::cri::v1;
use crate::labels;
use crate::pod::observed::Sandbox;

fn pod(spec: Value) -> Pod {
    let meta = json!({"name": "p", "namespace": "d", "uid": "u", "generation": 3});
    serde_json::from_value(json!({"metadata": meta, "spec": spec})).expect("a pod")
}

fn seen(pod: &Pod, name: &str, state: v1::ContainerState, exit_code: i32, restarts: i32) -> Seen {
    let (_, container) = spec::containers(spec::of(pod)).find(|(_, c)| c.name == name).expect("named");
    let status = v1::ContainerStatus {
        id: format!("{name}-{restarts}"),
        metadata: Some(v1::ContainerMetadata { name: name.into(), attempt: restarts as u32 }),
        state: state.into(),
        exit_code,
        reason: if exit_code == 0 { "Completed".into() } else { "Error".into() },
        annotations: labels::annotations(container, restarts, ""),
        ..Default::default()
    };
    Seen { sandbox: "s".into(), status }
}

fn look(pod: &Pod, seen: Vec<Seen>, verdicts: &Verdicts, waiting: &HashMap<String, Waiting>, over: bool) -> PodStatus {
    let sandbox = Sandbox { id: "s".into(), attempt: 0, ready: true, ips: vec!["10.1.0.2".into()] };
    let observed = Observed::new(vec![sandbox], seen);
    compute(&Inputs {
        pod,
        observed: &observed,
        verdicts,
        waiting,
        over,
        failure: None,
        actuated: &Sizes::new(),
        resize: &[],
        host_ips: &["192.168.1.1".into()],
        now: Timestamp::UNIX_EPOCH,
        message: &|_| None,
    })
}

fn condition(status: &PodStatus, kind: &str) -> (String, Option<String>) {
    let found = status.conditions.iter().flatten().find(|c| c.type_ == kind).expect("present");
    (found.status.clone(), found.message.clone())
}

#[test]
fn a_running_container_is_ready_once_its_probes_say_so() {
    let pod = pod(json!({"containers": [{"name": "a", "image": "i"}]}));
    let running = || vec![seen(&pod, "a", v1::ContainerState::ContainerRunning, 0, 0)];
    let mut verdicts = Verdicts::default();
    let status = look(&pod, running(), &verdicts, &HashMap::new(), false);
    assert_eq!(status.phase.as_deref(), Some("Running"));
    assert_eq!(condition(&status, "Ready"), ("False".into(), Some("containers with unready status: [a]".into())));
    verdicts.set_started("a", "a-0");
    let status = look(&pod, running(), &verdicts, &HashMap::new(), false);
    assert_eq!(condition(&status, "Ready"), ("True".into(), None));
    assert_eq!(status.pod_ip.as_deref(), Some("10.1.0.2"));
    assert_eq!(status.observed_generation, Some(3));
}

#[test]
fn a_crash_loop_shows_the_wait_and_the_last_end() {
    let pod = pod(json!({"containers": [{"name": "a", "image": "i"}]}));
    let waiting =
        HashMap::from([("a".into(), Waiting { reason: "CrashLoopBackOff".into(), message: "back-off".into() })]);
    let ended = vec![seen(&pod, "a", v1::ContainerState::ContainerExited, 1, 2)];
    let status = look(&pod, ended, &Verdicts::default(), &waiting, false);
    let told = &status.container_statuses.as_ref().expect("told")[0];
    assert_eq!(
        told.state.as_ref().and_then(|s| s.waiting.as_ref()).and_then(|w| w.reason.as_deref()),
        Some("CrashLoopBackOff")
    );
    assert_eq!(told.last_state.as_ref().and_then(|s| s.terminated.as_ref()).map(|t| t.exit_code), Some(1));
    assert_eq!((told.restart_count, status.phase.as_deref()), (2, Some("Running")));
}

#[test]
fn phases_follow_policy_and_exit_codes() {
    for (policy, code, over, phase) in [
        ("Never", 0, false, "Succeeded"),
        ("Never", 1, false, "Failed"),
        ("OnFailure", 0, false, "Succeeded"),
        ("OnFailure", 1, false, "Running"),
        ("Always", 0, false, "Running"),
        ("Always", 0, true, "Succeeded"),
        ("Always", 137, true, "Failed"),
    ] {
        let pod = pod(json!({"restartPolicy": policy, "containers": [{"name": "a", "image": "i"}]}));
        let ended = vec![seen(&pod, "a", v1::ContainerState::ContainerExited, code, 0)];
        let status = look(&pod, ended, &Verdicts::default(), &HashMap::new(), over);
        assert_eq!(status.phase.as_deref(), Some(phase), "{policy} {code} {over}");
    }
}

#[test]
fn before_its_init_containers_are_done_a_pod_is_pending() {
    let pod =
        pod(json!({"initContainers": [{"name": "i", "image": "i"}], "containers": [{"name": "a", "image": "i"}]}));
    let running = vec![seen(&pod, "i", v1::ContainerState::ContainerRunning, 0, 0)];
    let status = look(&pod, running, &Verdicts::default(), &HashMap::new(), false);
    assert_eq!(status.phase.as_deref(), Some("Pending"));
    assert_eq!(
        condition(&status, "Initialized"),
        ("False".into(), Some("containers with incomplete status: [i]".into()))
    );
    let app = &status.container_statuses.as_ref().expect("told")[0];
    assert_eq!(
        app.state.as_ref().and_then(|s| s.waiting.as_ref()).and_then(|w| w.reason.as_deref()),
        Some("PodInitializing")
    );
}
