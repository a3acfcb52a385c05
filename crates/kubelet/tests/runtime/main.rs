//! The owned containerd, for real: pause image, archives, a sandbox. Needs root and containerd; run it
//! in a network namespace
//! with its loopback up: `cargo test -p nakhoda-kubelet --test runtime -- --ignored --test-threads 1`.

mod daemon;
mod node;
mod paths;
mod pods;
mod pressure;

use nakhoda_daemon::Tasks;
use nakhoda_kubelet::containerd::{exec, process};
use nakhoda_kubelet::cri::{Cri, v1};
use nakhoda_kubelet::image::Images;
use nakhoda_kubelet::{cni, pause};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use node::{Scratch, busybox, layout};

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs root, containerd and a network namespace"]
async fn a_sandbox_runs_from_images_that_were_only_loaded() {
    let scratch = Scratch::new("nk");
    let tasks = Tasks::new();
    let managed = process::Managed::prepare(layout(&scratch.0)).expect("prepared");
    let channel = managed.run(&tasks).await.expect("containerd runs");
    cni::write(&scratch.0.join("cni"), &scratch.0.join("ipam"), &["10.99.0.0/24".into()]).expect("written");
    let images = Images::new(channel.clone());
    let cri = Cri::new(channel.clone());

    let names = images.load(std::io::Cursor::new(pause::archive().expect("supported"))).await.expect("pause loads");
    assert_eq!(names, [pause::IMAGE]);
    let mut broken = busybox("bb:1");
    broken.truncate(broken.len() / 2);
    assert!(images.load(std::io::Cursor::new(broken)).await.is_err());
    assert!(cri.image("bb:1").await.expect("asked").is_none(), "a broken archive leaves nothing");
    let names = images.load(std::io::Cursor::new(busybox("bb:1"))).await.expect("loads");
    assert_eq!(names, ["docker.io/library/bb:1"]);
    let (all, pinned) = images.list().await.expect("listed");
    assert!(all.iter().all(|image| pinned.contains(&image.id)), "{all:?} {pinned:?}");

    while cri.status(false).await.expect("status").status.is_some_and(|s| s.conditions.iter().any(|c| !c.status)) {
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    let sandbox = sandbox_of(&scratch);
    let id = cri.run_sandbox(sandbox.clone(), String::new()).await.expect("sandbox runs");
    let status = cri.sandbox_status(&id).await.expect("asked").expect("there");
    assert!(status.network.is_some_and(|n| n.ip.starts_with("10.99.0.")));
    let container = v1::ContainerConfig {
        metadata: Some(v1::ContainerMetadata { name: "c".into(), attempt: 0 }),
        image: Some(nakhoda_kubelet::cri::image_spec("bb:1")),
        log_path: "c/0.log".into(),
        linux: Some(v1::LinuxContainerConfig::default()),
        ..Default::default()
    };
    let request = v1::CreateContainerRequest {
        pod_sandbox_id: id.clone(),
        config: Some(container),
        sandbox_config: Some(sandbox),
    };
    let container = cri.create_container(request).await.expect("created");
    cri.start_container(&container).await.expect("started");

    let command = exec::Command { args: vec!["/bin/cat".into()], stdin: true, tty: false };
    let mut process = exec::start(channel.clone(), &container, &command, &scratch.0.join("run/x")).await.expect("runs");
    let mut stdin = process.stdin.take().expect("stdin");
    stdin.write_all(b"hello").await.expect("written");
    drop(stdin);
    process.control().close_stdin().await.expect("closed");
    let mut text = String::new();
    process.stdout.take().expect("stdout").read_to_string(&mut text).await.expect("read");
    assert_eq!(text, "hello");
    assert_eq!(process.wait().await.expect("ended"), 0);
    process.remove().await;

    cri.stop_sandbox(&id).await.expect("stopped");
    cri.remove_sandbox(&id).await.expect("removed");
    other_addresses(&scratch, &cri, &sandbox_of(&scratch)).await;
    tasks.stop();
}

fn sandbox_of(scratch: &Scratch) -> v1::PodSandboxConfig {
    let metadata =
        v1::PodSandboxMetadata { name: "p".into(), uid: "u".into(), namespace: "default".into(), attempt: 0 };
    v1::PodSandboxConfig {
        metadata: Some(metadata),
        hostname: "p".into(),
        log_directory: scratch.0.join("logs").display().to_string(),
        linux: Some(v1::LinuxPodSandboxConfig { cgroup_parent: scratch.cgroup(), ..Default::default() }),
        ..Default::default()
    }
}

/// A node that joins anew may get other addresses for its pods; the bridge takes them over.
async fn other_addresses(scratch: &Scratch, cri: &Cri, sandbox: &v1::PodSandboxConfig) {
    cni::write(&scratch.0.join("cni"), &scratch.0.join("ipam"), &["10.98.0.0/24".into()]).expect("written");
    // The runtime sees the new file in its own time.
    for _ in 0..50 {
        let id = cri.run_sandbox(sandbox.clone(), String::new()).await.expect("sandbox runs");
        let network = cri.sandbox_status(&id).await.expect("asked").and_then(|status| status.network);
        cri.stop_sandbox(&id).await.expect("stopped");
        cri.remove_sandbox(&id).await.expect("removed");
        if network.is_some_and(|n| n.ip.starts_with("10.98.0.")) {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    panic!("pods still get the old addresses");
}
