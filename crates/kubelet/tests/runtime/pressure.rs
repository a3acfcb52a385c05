//! Stalls of a pod, as this kernel measures them.

use std::collections::HashSet;
use std::sync::Arc;

use nakhoda_daemon::Tasks;
use nakhoda_kubelet::pod::sandbox;
use nakhoda_kubelet::pressure::hierarchy::Hierarchy;
use nakhoda_kubelet::pressure::psi::Totals;
use serde_json::json;

use crate::node::{Fake, Scratch, host as node_host, node};
use crate::pods::{is_ready, pod, remove, start, until};

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs root, containerd and a network namespace"]
async fn a_pod_that_throttles_itself_is_stalled_in_a_group_below_its_nodes_and_leaves_none() {
    let scratch = Scratch::new("np");
    let tasks = Tasks::new();
    let channel = node(&scratch, &tasks).await;
    let fake = Arc::new(Fake::default());
    let host = node_host(&scratch, &tasks, &channel, fake.clone());
    let manager = start(&host, &tasks);
    let mount = scratch.0.join("cgroup2");
    let Some(hierarchy) = Hierarchy::open(&host.cgroups, &mount).expect("opened") else { return };
    assert_eq!(hierarchy.node().expect("read"), Totals::default(), "no pod was there");
    let burn = "while :; do :; done & while :; do :; done";
    let hog = pod(
        "hog",
        json!({"containers": [{"name": "c", "image": "bb:1", "command": ["/bin/sh", "-c", burn], "resources": {"limits": {"cpu": "100m"}}}]}),
    );
    manager.apply(hog.clone());
    until(&fake, is_ready).await;
    let parent = sandbox::cgroup(&host, &hog);
    hierarchy.gather(&parent).expect("gathered");
    let (pods, nodes) = loop {
        let read = (hierarchy.pod(&parent).expect("read"), hierarchy.node().expect("read"));
        if read.0[0].some > 100_000 {
            break read;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    };
    assert!(nodes[0].some > 0 && pods[0].full > 0, "{nodes:?} {pods:?}");
    let known = hierarchy.pods();
    remove(&manager, &fake, &host, &hog).await;
    hierarchy.forget(&known.into_iter().collect::<HashSet<_>>());
    assert!(hierarchy.pods().is_empty() && hierarchy.pod(&parent).is_err());
    hierarchy.close().expect("closed");
    let mounts = std::fs::read_to_string("/proc/self/mountinfo").expect("readable");
    assert!(!mounts.contains(&mount.display().to_string()), "the mount is gone");
    tasks.stop();
}
