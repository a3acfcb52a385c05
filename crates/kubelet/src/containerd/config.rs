//! The configuration of the containerd that the kubelet owns: everything it makes lies under the
//! kubelet's own directories, so several nodes run on one host and nothing else on it is touched.

use std::path::{Path, PathBuf};

use crate::cgroup::Driver;
use crate::pause;

/// What the configuration depends on.
#[derive(Clone, Debug)]
pub struct Layout {
    /// Content, snapshots, metadata.
    pub root: PathBuf,
    /// Sockets and running state; short, because a unix path ends at 107 bytes.
    pub state: PathBuf,
    /// The gRPC socket.
    pub socket: PathBuf,
    /// CNI plugins.
    pub cni_bin: PathBuf,
    /// CNI configuration.
    pub cni_conf: PathBuf,
    /// How cgroups are made.
    pub driver: Driver,
    /// Whether this process may lower oom scores.
    pub may_lower_oom_score: bool,
}

/// The file's text (containerd's version 2 format, which 1.6 and later read).
#[must_use]
pub fn render(layout: &Layout) -> String {
    format!(
        r#"# Written by the kubelet at each start; changes are lost.
version = 2
root = {root}
state = {state}
disabled_plugins = [
  "io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.btrfs",
  "io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.zfs",
  "io.containerd.tracing.processor.v1.otlp", "io.containerd.internal.v1.tracing",
]

[grpc]
  address = {socket}

[ttrpc]
  address = {ttrpc}

[plugins."io.containerd.internal.v1.opt"]
  path = {opt}

[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = {pause}
  restrict_oom_score_adj = {restrict}
  stream_server_address = "127.0.0.1"
  stream_server_port = "0"
  netns_mounts_under_state_dir = true
  enable_unprivileged_ports = true
  enable_unprivileged_icmp = true

[plugins."io.containerd.grpc.v1.cri".cni]
  bin_dir = {cni_bin}
  conf_dir = {cni_conf}
  max_conf_num = 1

[plugins."io.containerd.grpc.v1.cri".containerd]
  snapshotter = "overlayfs"
  default_runtime_name = "runc"

[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
  runtime_type = "io.containerd.runc.v2"

[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
  SystemdCgroup = {systemd}
"#,
        root = quote(&layout.root),
        state = quote(&layout.state),
        socket = quote(&layout.socket),
        ttrpc = quote(&layout.socket.with_extension("ttrpc")),
        opt = quote(&layout.root.join("opt")),
        pause = text(pause::IMAGE),
        restrict = !layout.may_lower_oom_score,
        cni_bin = quote(&layout.cni_bin),
        cni_conf = quote(&layout.cni_conf),
        systemd = layout.driver == Driver::Systemd,
    )
}

/// Whether the effective capabilities hold CAP_SYS_RESOURCE, without which no negative oom score
/// can be written and every sandbox would fail.
#[must_use]
pub fn may_lower_oom_score() -> bool {
    const CAP_SYS_RESOURCE: u64 = 1 << 24;
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    status
        .lines()
        .find_map(|line| line.strip_prefix("CapEff:"))
        .and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok())
        .is_some_and(|mask| mask & CAP_SYS_RESOURCE != 0)
}

fn quote(path: &Path) -> String {
    text(&path.display().to_string())
}

/// A TOML basic string has JSON's escapes.
fn text(value: &str) -> String {
    serde_json::Value::from(value).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn oom_scores_are_restricted_only_where_they_must_be() {
        let mut layout = Layout {
            root: "/r".into(),
            state: "/s".into(),
            socket: "/s/c.sock".into(),
            cni_bin: "/usr/lib/cni".into(),
            cni_conf: "/r/cni".into(),
            driver: Driver::Cgroupfs,
            may_lower_oom_score: false,
        };
        assert!(render(&layout).contains("restrict_oom_score_adj = true"));
        layout.may_lower_oom_score = true;
        assert!(render(&layout).contains("restrict_oom_score_adj = false"));
        assert!(render(&layout).contains(r#"address = "/s/c.sock""#));
    }
}
