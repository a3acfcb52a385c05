//! The owned containerd, for real: pause image, archives, a sandbox. Needs root and containerd; run it
//! in a network namespace: `unshare --net cargo test -p nakhoda-kubelet --test runtime -- --ignored`.

use std::path::{Path, PathBuf};

use nakhoda_daemon::Tasks;
use nakhoda_kubelet::cgroup::Driver;
use nakhoda_kubelet::containerd::{config, exec, process};
use nakhoda_kubelet::cri::{Cri, v1};
use nakhoda_kubelet::image::Images;
use nakhoda_kubelet::{cni, pause};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

struct Scratch(PathBuf);

impl Drop for Scratch {
    fn drop(&mut self) {
        if let Ok(pid) = std::fs::read_to_string(self.0.join("run/containerd.pid"))
            && let Some(pid) = pid.trim().parse().ok().and_then(rustix::process::Pid::from_raw)
        {
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
            while rustix::process::test_kill_process(pid).is_ok() {
                std::thread::yield_now();
                if std::fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_nonzero())).is_ok_and(|s| s.contains(") Z ")) {
                    break;
                }
            }
        }
        if let Err(error) = std::fs::remove_dir_all(&self.0) {
            eprintln!("{}: {error}", self.0.display());
        }
    }
}

fn layout(base: &Path) -> config::Layout {
    config::Layout {
        root: base.join("containerd/root"),
        state: base.join("run"),
        socket: base.join("run/c.sock"),
        cni_bin: "/usr/lib/cni".into(),
        cni_conf: base.join("cni"),
        driver: Driver::Cgroupfs,
        may_lower_oom_score: config::may_lower_oom_score(),
    }
}

/// An image with a static busybox, as `docker save` writes it.
fn busybox(name: &str) -> Vec<u8> {
    let shell = std::fs::read("/bin/busybox").or_else(|_| std::fs::read("/usr/bin/busybox")).expect("busybox-static is installed");
    let pack = |files: &[(&str, &[u8])]| {
        let mut builder = tar::Builder::new(Vec::new());
        for (path, bytes) in files {
            let mut header = tar::Header::new_gnu();
            header.set_size(bytes.len() as u64);
            header.set_mode(0o755);
            builder.append_data(&mut header, path, *bytes).expect("packed");
        }
        builder.into_inner().expect("packed")
    };
    let layer = pack(&[("bin/busybox", &shell), ("bin/sh", &shell), ("bin/cat", &shell), ("bin/sleep", &shell)]);
    let digest: String = <sha2::Sha256 as sha2::Digest>::digest(&layer).iter().map(|b| format!("{b:02x}")).collect();
    let config = serde_json::json!({
        "architecture": "amd64", "os": "linux", "config": {"Env": ["PATH=/bin"], "Cmd": ["/bin/sleep", "1000"]},
        "rootfs": {"type": "layers", "diff_ids": [format!("sha256:{digest}")]},
    });
    let manifest = serde_json::json!([{"Config": "c.json", "RepoTags": [name], "Layers": ["l/layer.tar"]}]);
    pack(&[("l/layer.tar", &layer), ("c.json", config.to_string().as_bytes()), ("manifest.json", manifest.to_string().as_bytes())])
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs root, containerd and a network namespace"]
async fn a_sandbox_runs_from_images_that_were_only_loaded() {
    let scratch = Scratch(std::env::temp_dir().join(format!("nk{}", std::process::id())));
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
    let sandbox = v1::PodSandboxConfig {
        metadata: Some(v1::PodSandboxMetadata { name: "p".into(), uid: "u".into(), namespace: "default".into(), attempt: 0 }),
        hostname: "p".into(),
        log_directory: scratch.0.join("logs").display().to_string(),
        linux: Some(v1::LinuxPodSandboxConfig { cgroup_parent: "/nktest".into(), ..Default::default() }),
        ..Default::default()
    };
    let id = cri.run_sandbox(sandbox.clone()).await.expect("sandbox runs");
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
    tasks.stop();
}
