//! Small questions about a pod's specification.

use std::borrow::Cow;

use k8s_openapi::api::core::v1::{Container, EphemeralContainer, Pod, PodSpec};

/// The annotation that names who asks for a pod: the API or a file.
pub const SOURCE: &str = "kubernetes.io/config.source";

/// What a container is in its pod.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// Runs to its end before the next one.
    Init,
    /// An init container that is restarted: starts before the next one, runs beside the apps.
    Sidecar,
    /// An app container.
    App,
    /// Joined the running pod, to look at it; runs once.
    Ephemeral,
}

/// The specification; an empty one for a pod that has none (the API server admits none such).
#[must_use]
pub fn of(pod: &Pod) -> &PodSpec {
    static NONE: std::sync::LazyLock<PodSpec> = std::sync::LazyLock::new(PodSpec::default);
    pod.spec.as_ref().unwrap_or(&NONE)
}

/// The pod's uid.
#[must_use]
pub fn uid(pod: &Pod) -> &str {
    pod.metadata.uid.as_deref().unwrap_or_default()
}

/// The pod's namespace.
#[must_use]
pub fn namespace(pod: &Pod) -> &str {
    pod.metadata.namespace.as_deref().unwrap_or_default()
}

/// The pod's name.
#[must_use]
pub fn name(pod: &Pod) -> &str {
    pod.metadata.name.as_deref().unwrap_or_default()
}

/// `name_namespace(uid)`, as upstream's texts have it.
#[must_use]
pub fn full_name(pod: &Pod) -> String {
    format!("{}_{}({})", name(pod), namespace(pod), uid(pod))
}

/// Init containers, in order.
#[must_use]
pub fn inits(spec: &PodSpec) -> &[Container] {
    spec.init_containers.as_deref().unwrap_or_default()
}

/// All containers of the pod's own with their roles, init containers first.
pub fn containers(spec: &PodSpec) -> impl DoubleEndedIterator<Item = (Role, &Container)> {
    let role = |c: &Container| if is_sidecar(c) { Role::Sidecar } else { Role::Init };
    inits(spec).iter().map(move |c| (role(c), c)).chain(spec.containers.iter().map(|c| (Role::App, c)))
}

/// A container's path in events.
#[must_use]
pub fn field(role: Role, name: &str) -> String {
    match role {
        Role::App => format!("spec.containers{{{name}}}"),
        Role::Init | Role::Sidecar => format!("spec.initContainers{{{name}}}"),
        Role::Ephemeral => format!("spec.ephemeralContainers{{{name}}}"),
    }
}

/// One container by name, those that joined included.
#[must_use]
pub fn container<'a>(pod: &'a Pod, name: &str) -> Option<(Role, Cow<'a, Container>)> {
    let own = containers(of(pod)).find(|(_, c)| c.name == name).map(|(role, c)| (role, Cow::Borrowed(c)));
    own.or_else(|| Some((Role::Ephemeral, Cow::Owned(as_container(ephemeral(of(pod), name)?)))))
}

/// The containers that joined the pod.
#[must_use]
pub fn ephemerals(spec: &PodSpec) -> &[EphemeralContainer] {
    spec.ephemeral_containers.as_deref().unwrap_or_default()
}

/// One of the containers that joined, by name.
#[must_use]
pub fn ephemeral<'a>(spec: &'a PodSpec, name: &str) -> Option<&'a EphemeralContainer> {
    ephemerals(spec).iter().find(|c| c.name == name)
}

/// A container that joined, as one of the pod's own: what such a container cannot have is left out.
#[must_use]
pub fn as_container(container: &EphemeralContainer) -> Container {
    let own = container.clone();
    Container {
        args: own.args,
        command: own.command,
        env: own.env,
        env_from: own.env_from,
        image: own.image,
        image_pull_policy: own.image_pull_policy,
        name: own.name,
        security_context: own.security_context,
        stdin: own.stdin,
        stdin_once: own.stdin_once,
        termination_message_path: own.termination_message_path,
        termination_message_policy: own.termination_message_policy,
        tty: own.tty,
        volume_devices: own.volume_devices,
        volume_mounts: own.volume_mounts,
        working_dir: own.working_dir,
        ..Container::default()
    }
}

/// Whether an init container is restarted always.
#[must_use]
pub fn is_sidecar(container: &Container) -> bool {
    container.restart_policy.as_deref() == Some("Always")
}

/// `Always`, `OnFailure` or `Never`.
#[must_use]
pub fn restart_policy(spec: &PodSpec) -> &str {
    spec.restart_policy.as_deref().unwrap_or("Always")
}

/// Whether the pod uses the node's network.
#[must_use]
pub fn host_network(spec: &PodSpec) -> bool {
    spec.host_network.unwrap_or(false)
}

/// Whether a file of the node asks for the pod, and not the API.
#[must_use]
pub fn is_static(pod: &Pod) -> bool {
    let source = pod.metadata.annotations.as_ref().and_then(|a| a.get(SOURCE));
    source.is_some_and(|source| source != "api")
}

/// Whether somebody has asked for the pod's end.
#[must_use]
pub fn is_deleted(pod: &Pod) -> bool {
    pod.metadata.deletion_timestamp.is_some()
}

/// Whether the phase is final.
#[must_use]
pub fn is_terminal(phase: Option<&str>) -> bool {
    matches!(phase, Some("Succeeded" | "Failed"))
}
