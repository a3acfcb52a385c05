use serde_json::{Value, json};

use super::*;
use crate::kinds::testing::{prepared, row, typed};

#[test]
fn a_pod_that_asks_for_less_than_no_grace_is_given_a_second() {
    let mut pod = typed::<Pods>(json!({"spec": {"terminationGracePeriodSeconds": -5, "containers": []}}));
    Pods::default(&mut pod);
    assert_eq!(pod.spec.expect("a spec").termination_grace_period_seconds, Some(1));
}

fn shown(status: Value) -> [String; 3] {
    let pod = json!({
        "metadata": {"name": "a"},
        "spec": {"containers": [{"name": "a"}, {"name": "b"}], "initContainers": [{"name": "i"}]},
        "status": status,
    });
    let row = row::<Pods>(pod);
    [1, 2, 3].map(|i| row[i].as_str().expect("text").to_owned())
}

#[test]
fn a_running_pod_with_restarts() {
    let status = json!({"phase": "Running", "containerStatuses": [
        {"name": "a", "ready": true, "restartCount": 2, "state": {"running": {}},
         "lastState": {"terminated": {"exitCode": 1, "finishedAt": "2026-01-02T03:04:00Z"}}},
        {"name": "b", "ready": true, "restartCount": 0, "state": {"running": {}}}]});
    assert_eq!(shown(status), ["2/2", "Running", "2 (5s ago)"]);
}

#[test]
fn init_containers_come_first() {
    assert_eq!(shown(json!({"phase": "Pending"})), ["0/2", "Pending", "0"]);
    let init = |state: Value| {
        shown(json!({"phase": "Pending", "initContainerStatuses": [{"name": "i", "restartCount": 1, "state": state}]}))
    };
    assert_eq!(init(json!({"running": {}})), ["0/2", "Init:0/1", "1"]);
    assert_eq!(init(json!({"waiting": {"reason": "PodInitializing"}}))[1], "Init:0/1");
    assert_eq!(init(json!({"waiting": {"reason": "CrashLoopBackOff"}}))[1], "Init:CrashLoopBackOff");
    assert_eq!(init(json!({"terminated": {"exitCode": 3}}))[1], "Init:ExitCode:3");
    assert_eq!(init(json!({"terminated": {"exitCode": 0}}))[1], "Pending");
}

#[test]
fn waiting_and_ended_containers_give_the_reason() {
    let one = |state: Value| {
        shown(json!({"phase": "Running", "containerStatuses": [
            {"name": "a", "state": state}, {"name": "b", "ready": true, "state": {"running": {}}}]}))
    };
    assert_eq!(one(json!({"waiting": {"reason": "CrashLoopBackOff"}}))[..2], ["1/2", "CrashLoopBackOff"]);
    assert_eq!(one(json!({"terminated": {"exitCode": 1, "reason": "Error"}}))[1], "Error");
    assert_eq!(one(json!({"terminated": {"exitCode": 0, "signal": 9}}))[1], "Signal:9");
    assert_eq!(one(json!({"terminated": {"exitCode": 0, "reason": "Completed"}}))[1], "NotReady");
}

#[test]
fn deletion_and_gates_show() {
    let pod =
        json!({"metadata": {"name": "a", "deletionTimestamp": "2026-01-02T03:04:00Z"}, "status": {"phase": "Running"}});
    assert_eq!(row::<Pods>(pod)[2], "Terminating");
    let pod = prepared::<Pods>(json!({"spec": {"schedulingGates": [{"name": "g"}]}}), None);
    assert_eq!(row::<Pods>(pod.clone())[2], "SchedulingGated");
    assert_eq!(pod["status"]["qosClass"], "BestEffort");
}

#[test]
fn wide_columns_follow() {
    let pod = json!({
        "metadata": {"name": "a"}, "spec": {"nodeName": "n", "readinessGates": [{"conditionType": "x"}]},
        "status": {"podIPs": [{"ip": "10.244.0.2"}], "conditions": [{"type": "x", "status": "True"}]},
    });
    assert_eq!(row::<Pods>(pod)[5..], ["10.244.0.2", "n", "<none>", "1/1"]);
}

#[test]
fn grace_is_the_pods_own_unless_nothing_runs() {
    let grace = |pod: Value, asked| Pods::grace(&typed::<Pods>(pod), asked);
    let running =
        json!({"spec": {"nodeName": "n", "terminationGracePeriodSeconds": 30}, "status": {"phase": "Running"}});
    assert_eq!(grace(running.clone(), None), Some(30));
    assert_eq!(grace(running.clone(), Some(5)), Some(5));
    assert_eq!(grace(running, Some(-1)), Some(1));
    assert_eq!(grace(json!({"spec": {"terminationGracePeriodSeconds": 30}}), None), Some(0));
    assert_eq!(grace(json!({"spec": {"nodeName": "n"}, "status": {"phase": "Failed"}}), Some(9)), Some(0));
}

#[test]
fn clients_do_not_set_the_status() {
    let old = json!({"status": {"phase": "Running"}});
    assert_eq!(prepared::<Pods>(json!({"status": {"phase": "Failed"}}), Some(old.clone()))["status"], old["status"]);
    let made = prepared::<Pods>(json!({"status": {"phase": "Failed"}, "spec": {"containers": []}}), None);
    assert_eq!(made["status"], json!({"phase": "Pending", "qosClass": "BestEffort"}));
}
