//! Pods for real, through worker and CRI, with an API of a few values.

use std::sync::Arc;

use k8s_openapi::api::core::v1::{ContainerStatus, Pod, PodStatus};
use nakhoda_daemon::Tasks;
use nakhoda_kubelet::containerd::events;
use nakhoda_kubelet::host::Host;
use nakhoda_kubelet::log::read;
use nakhoda_kubelet::pod::manager::Manager;
use serde_json::{Value, json};
use tokio::sync::mpsc;

use crate::node::{Fake, Scratch, host as node_host, node};

pub(crate) fn pod(name: &str, spec: Value) -> Arc<Pod> {
    let meta = json!({"name": name, "namespace": "default", "uid": format!("uid-{name}")});
    Arc::new(serde_json::from_value(json!({"metadata": meta, "spec": spec})).expect("a pod"))
}

/// Waits until the status is as wanted.
pub(crate) async fn until(fake: &Fake, wanted: impl Fn(&PodStatus) -> bool) -> PodStatus {
    let mut statuses = fake.statuses.subscribe();
    let found = statuses.wait_for(wanted);
    match tokio::time::timeout(std::time::Duration::from_secs(40), found).await {
        Ok(status) => status.expect("alive").clone(),
        Err(_) => panic!("{:#?}\n{:#?}", *fake.statuses.borrow(), fake.events.lock()),
    }
}

fn first(status: &PodStatus) -> ContainerStatus {
    status.container_statuses.clone().unwrap_or_default().into_iter().next().unwrap_or_default()
}

pub(crate) fn is_ready(status: &PodStatus) -> bool {
    status.conditions.iter().flatten().any(|c| c.type_ == "Ready" && c.status == "True")
}

fn waits_for(status: &PodStatus, reason: &str) -> bool {
    first(status).state.and_then(|s| s.waiting).and_then(|w| w.reason).as_deref() == Some(reason)
}

fn deleted(pod: &Pod, grace: i64) -> Arc<Pod> {
    let mut pod = pod.clone();
    let at = jiff::Timestamp::now() + jiff::SignedDuration::from_secs(grace);
    pod.metadata.deletion_timestamp = Some(k8s_openapi::apimachinery::pkg::apis::meta::v1::Time(at));
    pod.metadata.deletion_grace_period_seconds = Some(grace);
    Arc::new(pod)
}

pub(crate) async fn remove(manager: &Manager, fake: &Fake, host: &Host, pod: &Arc<Pod>) {
    manager.apply(deleted(pod, 3));
    fake.removed.subscribe().wait_for(|removed| *removed).await.expect("alive");
    fake.removed.send_replace(false);
    manager.gone(pod);
    while manager.views().iter().any(|view| view.pod.metadata.uid == pod.metadata.uid) {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    let uid = pod.metadata.uid.as_deref().expect("has one");
    assert!(!host.paths.pod(uid).exists() && !host.paths.pod_logs(pod).exists(), "nothing of the pod is left");
}

async fn log(path: &std::path::Path) -> String {
    let (send, mut receive) = mpsc::channel(100);
    read::run(path, &read::Wish::default(), &send, || false).await.expect("readable");
    drop(send);
    let mut text = Vec::new();
    while let Some(piece) = receive.recv().await {
        text.extend_from_slice(&piece);
    }
    String::from_utf8(text).expect("text")
}

pub(crate) fn start(host: &Arc<Host>, tasks: &Tasks) -> Manager {
    let manager = Manager::new(host.clone());
    tasks.spawn("events", manager.clone().follow(events::subscribe(host.channel.clone(), tasks)));
    manager
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs root, containerd and a network namespace"]
async fn pods_live_and_die() {
    let scratch = Scratch::new("np");
    let tasks = Tasks::new();
    let channel = node(&scratch, &tasks).await;
    let fake = Arc::new(Fake::default());
    let first_life = tasks.child();
    let host = node_host(&scratch, &first_life, &channel, fake.clone());
    let manager = start(&host, &first_life);

    runs_with_all_its_parts(&manager, &fake, &host).await;
    a_crash_loop_backs_off(&manager, &fake, &host).await;
    a_missing_image_is_told_and_found_later(&manager, &fake, &host).await;
    a_finished_pod_succeeds(&manager, &fake, &host).await;
    let next = || node_host(&scratch, &tasks, &channel, fake.clone());
    a_restarted_kubelet_adopts(&manager, &fake, first_life, next()).await;
    tasks.stop();
}

async fn runs_with_all_its_parts(manager: &Manager, fake: &Fake, host: &Host) {
    let script = "echo got $COLOUR; cat /etc/conf/colour; hostname; grep pod1 /etc/hosts; cat /etc/resolv.conf; trap 'echo bye > /dev/termination-log; exit 3' TERM; while :; do sleep 0.05; done";
    let pod1 = pod(
        "pod1",
        json!({
            "volumes": [{"name": "conf", "configMap": {"name": "settings"}}, {"name": "work", "emptyDir": {}}],
            "terminationGracePeriodSeconds": 3,
            "initContainers": [{"name": "prepare", "image": "bb:1", "command": ["/bin/sh", "-c", "echo done > /work/f"], "volumeMounts": [{"name": "work", "mountPath": "/work"}]}],
            "containers": [{
                "name": "main", "image": "bb:1", "command": ["/bin/sh", "-c", script],
                "env": [{"name": "COLOUR", "valueFrom": {"configMapKeyRef": {"name": "settings", "key": "colour"}}}],
                "volumeMounts": [{"name": "conf", "mountPath": "/etc/conf"}, {"name": "work", "mountPath": "/work", "subPath": "sub"}],
                "readinessProbe": {"exec": {"command": ["/bin/cat", "/etc/conf/colour"]}, "periodSeconds": 1},
                "resources": {"limits": {"cpu": "500m", "memory": "64Mi"}},
            }],
        }),
    );
    let begun = std::time::Instant::now();
    manager.apply(pod1.clone());
    let status = until(fake, is_ready).await;
    eprintln!("ready after {:?}", begun.elapsed());
    assert_eq!((status.phase.as_deref(), status.qos_class.as_deref()), (Some("Running"), Some("Burstable")));
    assert!(status.pod_ip.is_some_and(|ip| ip.starts_with("10.99.0.")));
    let path = host.paths.pod_logs(&pod1).join("main/0.log");
    let text = log(&path).await;
    for line in
        ["got blue\n", "blue", "pod1\n", "\tpod1\n", "nameserver 10.96.0.10", "search default.svc.cluster.local"]
    {
        assert!(text.contains(line), "{line:?} in {text}");
    }
    let reasons: Vec<String> = fake.events.lock().iter().map(|(reason, _)| reason.clone()).collect();
    assert_eq!(reasons[..6], ["Pulled", "Created", "Started", "Pulled", "Created", "Started"]);
    remove(manager, fake, host, &pod1).await;
    let status = fake.statuses.borrow().clone();
    let ended = first(&status).state.and_then(|s| s.terminated).expect("ended");
    assert_eq!((ended.exit_code, ended.message.as_deref()), (3, Some("bye\n")));
    assert_eq!(status.phase.as_deref(), Some("Failed"));
}

async fn a_crash_loop_backs_off(manager: &Manager, fake: &Fake, host: &Host) {
    let pod = pod(
        "crash",
        json!({"containers": [{"name": "c", "image": "bb:1", "command": ["/bin/sh", "-c", "echo oh; exit 2"], "terminationMessagePolicy": "FallbackToLogsOnError"}]}),
    );
    manager.apply(pod.clone());
    let status = until(fake, |status| waits_for(status, "CrashLoopBackOff")).await;
    let told = first(&status);
    assert_eq!(told.restart_count, 1);
    let last = told.last_state.and_then(|s| s.terminated).expect("ended");
    assert_eq!((last.exit_code, last.message.as_deref()), (2, Some("oh\n")));
    remove(manager, fake, host, &pod).await;
}

async fn a_missing_image_is_told_and_found_later(manager: &Manager, fake: &Fake, host: &Host) {
    let pod = pod(
        "late",
        json!({"containers": [{"name": "c", "image": "late:1", "imagePullPolicy": "Never", "command": ["/bin/sleep", "100"]}], "terminationGracePeriodSeconds": 1}),
    );
    manager.apply(pod.clone());
    until(fake, |status| waits_for(status, "ErrImageNeverPull")).await;
    let images = nakhoda_kubelet::image::Images::new(host.channel.clone());
    images.load(std::io::Cursor::new(crate::node::busybox("late:1"))).await.expect("loads");
    until(fake, is_ready).await;
    remove(manager, fake, host, &pod).await;
}

async fn a_finished_pod_succeeds(manager: &Manager, fake: &Fake, host: &Host) {
    let pod = pod(
        "job",
        json!({"restartPolicy": "Never", "containers": [{"name": "c", "image": "bb:1", "command": ["/bin/sh", "-c", "true"]}]}),
    );
    manager.apply(pod.clone());
    let status = until(fake, |status| status.phase.as_deref() == Some("Succeeded")).await;
    assert_eq!(first(&status).state.and_then(|s| s.terminated).and_then(|t| t.reason).as_deref(), Some("Completed"));
    remove(manager, fake, host, &pod).await;
}

async fn a_restarted_kubelet_adopts(manager: &Manager, fake: &Fake, first_life: Tasks, host: Arc<Host>) {
    let probe = json!({"exec": {"command": ["/bin/cat", "/bin/cat"]}, "periodSeconds": 1, "initialDelaySeconds": 1});
    let mut pod = Pod::clone(&pod(
        "stays",
        json!({"containers": [{"name": "c", "image": "bb:1", "command": ["/bin/sleep", "100"], "readinessProbe": probe}], "terminationGracePeriodSeconds": 1}),
    ));
    manager.apply(Arc::new(pod.clone()));
    let before = until(fake, is_ready).await;
    fake.events.lock().clear();
    let mut told = fake.statuses.subscribe();
    first_life.stop();
    let second = start(&host, &host.tasks);
    pod.status = Some(before.clone());
    let pod = Arc::new(pod);
    second.apply(pod.clone());
    second.adopt().await.expect("adopted");
    told.changed().await.expect("alive");
    let after = told.borrow().clone();
    assert!(is_ready(&after), "{after:#?}");
    assert_eq!(first(&before).container_id, first(&after).container_id);
    assert_eq!(fake.events.lock().len(), 0);
    remove(&second, fake, &host, &pod).await;
}
