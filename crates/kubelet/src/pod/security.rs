//! Security contexts: what a pod's and a container's specification mean to the runtime. Pure.

use k8s_openapi::api::core::v1::{AppArmorProfile, Container, Pod, PodSpec, SELinuxOptions, SeccompProfile};

use super::spec;
use crate::cri::v1;
use v1::security_profile::ProfileType;

const MASKED: [&str; 12] = [
    "/proc/asound",
    "/proc/acpi",
    "/proc/interrupts",
    "/proc/kcore",
    "/proc/keys",
    "/proc/latency_stats",
    "/proc/timer_list",
    "/proc/timer_stats",
    "/proc/sched_debug",
    "/proc/scsi",
    "/sys/firmware",
    "/sys/devices/virtual/powercap",
];
const READ_ONLY: [&str; 5] = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"];

/// `runAsNonRoot` is not kept.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The specification itself asks for root.
    #[error("container's runAsUser breaks non-root policy (pod: {pod:?}, container: {container})")]
    Asked {
        /// Which pod.
        pod: String,
        /// Which container.
        container: String,
    },
    /// The image runs as root.
    #[error("container has runAsNonRoot and image will run as root (pod: {pod:?}, container: {container})")]
    Image {
        /// Which pod.
        pod: String,
        /// Which container.
        container: String,
    },
    /// The image names its user, so nobody knows the number.
    #[error(
        "container has runAsNonRoot and image has non-numeric user ({user}), cannot verify user is non-root (pod: {pod:?}, container: {container})"
    )]
    Named {
        /// Which user.
        user: String,
        /// Which pod.
        pod: String,
        /// Which container.
        container: String,
    },
    /// A profile of the node without a name: the runtime would run the container without any.
    #[error("localhostProfile must be set if seccompProfile type is Localhost. (pod: {pod:?}, container: {container})")]
    NoProfile {
        /// Which pod.
        pod: String,
        /// Which container.
        container: String,
    },
    /// A working directory by way of the descriptors of the runtime, which lead to the node.
    #[error("workingDir {path:?} leads through a process of the runtime (pod: {pod:?}, container: {container})")]
    WorkingDirectory {
        /// Which directory.
        path: String,
        /// Which pod.
        pod: String,
        /// Which container.
        container: String,
    },
}

/// Which namespaces a pod shares with the node.
#[must_use]
pub fn namespaces(pod_spec: &PodSpec) -> v1::NamespaceOption {
    let node_or = |shared: Option<bool>, own: v1::NamespaceMode| {
        if shared == Some(true) { v1::NamespaceMode::Node } else { own }.into()
    };
    let pid = if pod_spec.share_process_namespace == Some(true) {
        v1::NamespaceMode::Pod
    } else {
        v1::NamespaceMode::Container
    };
    v1::NamespaceOption {
        network: node_or(pod_spec.host_network, v1::NamespaceMode::Pod),
        pid: node_or(pod_spec.host_pid, pid),
        ipc: node_or(pod_spec.host_ipc, v1::NamespaceMode::Pod),
        target_id: String::new(),
    }
}

/// The sandbox's own context.
#[must_use]
pub fn of_sandbox(pod: &Pod) -> v1::LinuxSandboxSecurityContext {
    let pod_spec = spec::of(pod);
    let context = pod_spec.security_context.clone().unwrap_or_default();
    let privileged = spec::containers(pod_spec)
        .any(|(_, c)| c.security_context.as_ref().is_some_and(|s| s.privileged == Some(true)));
    v1::LinuxSandboxSecurityContext {
        namespace_options: Some(namespaces(pod_spec)),
        selinux_options: context.se_linux_options.as_ref().map(selinux),
        run_as_user: context.run_as_user.map(number),
        run_as_group: context.run_as_group.map(number).filter(|_| context.run_as_user.is_some()),
        supplemental_groups: groups(pod),
        privileged,
        seccomp: Some(profile(ProfileType::RuntimeDefault, "")),
        ..Default::default()
    }
}

/// A container's context; `image` tells which user the image wants, `target` whose processes it sees.
pub fn of_container(
    pod: &Pod,
    container: &Container,
    image: &v1::Image,
    target: Option<&str>,
) -> Result<v1::LinuxContainerSecurityContext, Error> {
    let pod_spec = spec::of(pod);
    let general = pod_spec.security_context.clone().unwrap_or_default();
    let own = container.security_context.clone().unwrap_or_default();
    let user = own.run_as_user.or(general.run_as_user);
    if own.run_as_non_root.or(general.run_as_non_root) == Some(true) {
        non_root(pod, container, user, image)?;
    }
    check_directory(pod, container)?;
    let wanted = own.seccomp_profile.or(general.seccomp_profile);
    let seccomp = seccomp(wanted.as_ref()).ok_or_else(|| {
        let (pod, container) = (spec::name(pod).to_owned(), container.name.clone());
        Error::NoProfile { pod, container }
    })?;
    let privileged = own.privileged == Some(true);
    let unmasked = privileged || own.proc_mount.as_deref() == Some("Unmasked");
    let paths = |list: &[&str]| if unmasked { Vec::new() } else { list.iter().map(|p| (*p).to_owned()).collect() };
    let capabilities = own.capabilities.map(|c| v1::Capability {
        add_capabilities: c.add.unwrap_or_default(),
        drop_capabilities: c.drop.unwrap_or_default(),
    });
    Ok(v1::LinuxContainerSecurityContext {
        capabilities,
        privileged,
        namespace_options: Some(aimed(namespaces(pod_spec), target)),
        selinux_options: own.se_linux_options.or(general.se_linux_options).as_ref().map(selinux),
        run_as_user: user.map(number),
        run_as_group: own.run_as_group.or(general.run_as_group).map(number),
        readonly_rootfs: own.read_only_root_filesystem == Some(true),
        supplemental_groups: groups(pod),
        no_new_privs: own.allow_privilege_escalation == Some(false),
        masked_paths: paths(&MASKED),
        readonly_paths: paths(&READ_ONLY),
        seccomp: Some(seccomp),
        apparmor: own.app_armor_profile.or(general.app_armor_profile).as_ref().map(apparmor),
        ..Default::default()
    })
}

/// Where processes are shared already, there is nobody to aim at.
fn aimed(own: v1::NamespaceOption, target: Option<&str>) -> v1::NamespaceOption {
    match target {
        Some(id) if own.pid() == v1::NamespaceMode::Container => {
            v1::NamespaceOption { pid: v1::NamespaceMode::Target.into(), target_id: id.into(), ..own }
        }
        _ => own,
    }
}

fn non_root(pod: &Pod, container: &Container, user: Option<i64>, image: &v1::Image) -> Result<(), Error> {
    let (pod, container) = (spec::full_name(pod), container.name.clone());
    match (user, &image.uid) {
        (Some(0), _) => Err(Error::Asked { pod, container }),
        (Some(_), _) => Ok(()),
        (None, Some(uid)) if uid.value == 0 => Err(Error::Image { pod, container }),
        (None, Some(_)) => Ok(()),
        (None, None) if image.username.is_empty() => Err(Error::Image { pod, container }),
        (None, None) => Err(Error::Named { user: image.username.clone(), pod, container }),
    }
}

fn groups(pod: &Pod) -> Vec<i64> {
    let context = spec::of(pod).security_context.clone().unwrap_or_default();
    context.fs_group.into_iter().chain(context.supplemental_groups.into_iter().flatten()).collect()
}

/// What the runtime is told; `None` for a profile of the node that is not named.
fn seccomp(wanted: Option<&SeccompProfile>) -> Option<v1::SecurityProfile> {
    Some(match wanted.map(|p| (p.type_.as_str(), p.localhost_profile.as_deref().unwrap_or_default())) {
        Some(("RuntimeDefault", _)) => profile(ProfileType::RuntimeDefault, ""),
        Some(("Localhost", "")) => return None,
        Some(("Localhost", path)) => profile(ProfileType::Localhost, path),
        _ => profile(ProfileType::Unconfined, ""),
    })
}

/// `/proc/self/fd/7` is whatever the runtime has open when it changes there.
fn check_directory(pod: &Pod, container: &Container) -> Result<(), Error> {
    let path = container.working_dir.as_deref().unwrap_or_default();
    let mut parts = path.split('/').filter(|part| !part.is_empty() && *part != ".");
    let own = |process: &str| matches!(process, "self" | "thread-self") || process.bytes().all(|b| b.is_ascii_digit());
    let leads = parts.next() == Some("proc") && parts.next().is_some_and(own);
    if !leads && !path.contains("/proc/self") && !path.contains("/proc/thread-self") {
        return Ok(());
    }
    let (pod, container) = (spec::name(pod).to_owned(), container.name.clone());
    Err(Error::WorkingDirectory { path: path.to_owned(), pod, container })
}

fn apparmor(wanted: &AppArmorProfile) -> v1::SecurityProfile {
    match (wanted.type_.as_str(), wanted.localhost_profile.as_deref()) {
        ("Localhost", Some(name)) => profile(ProfileType::Localhost, name),
        ("Unconfined", _) => profile(ProfileType::Unconfined, ""),
        _ => profile(ProfileType::RuntimeDefault, ""),
    }
}

fn profile(kind: ProfileType, path: &str) -> v1::SecurityProfile {
    v1::SecurityProfile { profile_type: kind.into(), localhost_ref: path.into() }
}

fn selinux(options: &SELinuxOptions) -> v1::SeLinuxOption {
    let text = |value: &Option<String>| value.clone().unwrap_or_default();
    v1::SeLinuxOption {
        user: text(&options.user),
        role: text(&options.role),
        r#type: text(&options.type_),
        level: text(&options.level),
    }
}

const fn number(value: i64) -> v1::Int64Value {
    v1::Int64Value { value }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn non_root_is_checked_against_the_image() {
        let spec = json!({"containers": [{"name": "c"}], "securityContext": {"runAsNonRoot": true}});
        let pod: Pod = serde_json::from_value(json!({"metadata": {"name": "p"}, "spec": spec})).expect("a pod");
        let container = &spec::of(&pod).containers[0];
        let image = |uid: Option<i64>, name: &str| v1::Image {
            uid: uid.map(number),
            username: name.into(),
            ..Default::default()
        };
        assert!(of_container(&pod, container, &image(Some(7), ""), None).is_ok());
        assert!(matches!(of_container(&pod, container, &image(None, ""), None), Err(Error::Image { .. })));
        assert!(matches!(of_container(&pod, container, &image(None, "web"), None), Err(Error::Named { .. })));
    }

    #[test]
    fn a_privileged_container_masks_nothing() {
        let spec = json!({"containers": [{"name": "c", "securityContext": {"privileged": true}}], "hostNetwork": true});
        let pod: Pod = serde_json::from_value(json!({"metadata": {"name": "p"}, "spec": spec})).expect("a pod");
        let context = of_container(&pod, &spec::of(&pod).containers[0], &v1::Image::default(), None).expect("good");
        assert!(context.privileged && context.masked_paths.is_empty());
        assert_eq!(context.namespace_options.map(|n| n.network()), Some(v1::NamespaceMode::Node));
    }

    #[test]
    fn who_looks_at_a_container_joins_its_processes() {
        let aimed_at = |spec: serde_json::Value| {
            let pod: Pod = serde_json::from_value(json!({"metadata": {"name": "p"}, "spec": spec})).expect("a pod");
            let container = Container { name: "d".into(), ..Container::default() };
            let context = of_container(&pod, &container, &v1::Image::default(), Some("id")).expect("good");
            context.namespace_options.map(|n| (n.pid(), n.target_id)).expect("options")
        };
        assert_eq!(aimed_at(json!({"containers": []})), (v1::NamespaceMode::Target, "id".into()));
        let shared = aimed_at(json!({"containers": [], "shareProcessNamespace": true}));
        assert_eq!(shared, (v1::NamespaceMode::Pod, String::new()));
    }

    fn refused(container: serde_json::Value) -> Option<String> {
        let pod = serde_json::from_value(json!({"metadata": {"name": "p"}, "spec": {"containers": [container]}}));
        let pod: Pod = pod.expect("a pod");
        let context = of_container(&pod, &spec::of(&pod).containers[0], &v1::Image::default(), None);
        context.err().map(|error| error.to_string())
    }

    /// CVE-2023-2431: a seccomp profile of the node with an empty name, which meant none at all.
    #[test]
    fn a_profile_without_a_name_is_no_profile() {
        for profile in [json!({"type": "Localhost"}), json!({"type": "Localhost", "localhostProfile": ""})] {
            assert_eq!(
                refused(json!({"name": "c", "securityContext": {"seccompProfile": profile}})).as_deref(),
                Some("localhostProfile must be set if seccompProfile type is Localhost. (pod: \"p\", container: c)")
            );
        }
        let named = json!({"type": "Localhost", "localhostProfile": "a.json"});
        assert_eq!(refused(json!({"name": "c", "securityContext": {"seccompProfile": named}})), None);
    }

    /// CVE-2024-21626: a working directory that is an open file of the runtime's.
    #[test]
    fn no_container_begins_in_the_runtimes_own_files() {
        for path in ["/proc/self/fd/7", "/proc/1/fd/8", "//proc/./thread-self/cwd", "/x/../proc/self/fd/9/../.."] {
            let told = refused(json!({"name": "c", "workingDir": path})).expect("refused");
            assert!(told.contains("leads through a process of the runtime"), "{told}");
        }
        assert_eq!(refused(json!({"name": "c", "workingDir": "/processes/self"})), None);
        assert_eq!(refused(json!({"name": "c", "workingDir": "/proc/sys"})), None);
    }

    /// CVE-2019-11245: the user of an image that was forgotten when the container was started again. What is decided
    /// depends on the pod and the image alone, so it is the same each time.
    #[test]
    fn a_container_that_starts_again_is_the_same_user() {
        let spec = json!({"containers": [{"name": "c", "securityContext": {"runAsNonRoot": true, "runAsUser": 7}}]});
        let pod: Pod = serde_json::from_value(json!({"metadata": {"name": "p"}, "spec": spec})).expect("a pod");
        let start = || of_container(&pod, &spec::of(&pod).containers[0], &v1::Image::default(), None).expect("good");
        assert_eq!(start().run_as_user, Some(number(7)));
        assert_eq!(start(), start());
        let root = json!({"containers": [{"name": "c", "securityContext": {"runAsNonRoot": true}}]});
        let pod: Pod = serde_json::from_value(json!({"metadata": {"name": "p"}, "spec": root})).expect("a pod");
        let image = v1::Image { uid: Some(number(0)), ..Default::default() };
        for _ in 0..2 {
            let start = of_container(&pod, &spec::of(&pod).containers[0], &image, None);
            assert!(matches!(start, Err(Error::Image { .. })), "{start:?}");
        }
    }
}
