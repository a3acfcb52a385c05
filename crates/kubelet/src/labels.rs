//! What the kubelet writes on sandboxes and containers, so that a kubelet that was restarted knows
//! everything again from the runtime alone. Names are upstream's.

use std::collections::HashMap;

use k8s_openapi::api::core::v1::{Container, Pod};
use sha2::{Digest, Sha256};

use crate::cri::v1;

/// Name of the pod.
pub const POD_NAME: &str = "io.kubernetes.pod.name";
/// Namespace of the pod.
pub const POD_NAMESPACE: &str = "io.kubernetes.pod.namespace";
/// UID of the pod.
pub const POD_UID: &str = "io.kubernetes.pod.uid";
/// Name of the container in its pod.
pub const CONTAINER_NAME: &str = "io.kubernetes.container.name";
const HASH: &str = "io.kubernetes.container.hash";
const RESTARTS: &str = "io.kubernetes.container.restartCount";
const MESSAGE_PATH: &str = "io.kubernetes.container.terminationMessagePath";
const MESSAGE_POLICY: &str = "io.kubernetes.container.terminationMessagePolicy";
const MESSAGE_HOST_PATH: &str = "nakhoda.io/terminationMessageHostPath";

/// Labels of a pod's sandbox: the pod's own and who it is.
#[must_use]
pub fn of_pod(pod: &Pod) -> HashMap<String, String> {
    let meta = &pod.metadata;
    let mut labels: HashMap<String, String> =
        meta.labels.iter().flatten().map(|(k, v)| (k.clone(), v.clone())).collect();
    labels.insert(POD_NAME.into(), meta.name.clone().unwrap_or_default());
    labels.insert(POD_NAMESPACE.into(), meta.namespace.clone().unwrap_or_default());
    labels.insert(POD_UID.into(), meta.uid.clone().unwrap_or_default());
    labels
}

/// Labels of a container.
#[must_use]
pub fn of_container(pod: &Pod, container: &Container) -> HashMap<String, String> {
    let mut labels = of_pod(pod);
    for key in pod.metadata.labels.iter().flatten().map(|(k, _)| k) {
        if !key.starts_with("io.kubernetes.") {
            labels.remove(key);
        }
    }
    labels.insert(CONTAINER_NAME.into(), container.name.clone());
    labels
}

/// Annotations of a container.
#[must_use]
pub fn annotations(container: &Container, restarts: i32, message_file: &str) -> HashMap<String, String> {
    let path = container.termination_message_path.clone().unwrap_or_else(|| "/dev/termination-log".into());
    let policy = container.termination_message_policy.clone().unwrap_or_else(|| "File".into());
    HashMap::from([
        (HASH.to_owned(), hash(container)),
        (RESTARTS.to_owned(), restarts.to_string()),
        (MESSAGE_PATH.to_owned(), path),
        (MESSAGE_POLICY.to_owned(), policy),
        (MESSAGE_HOST_PATH.to_owned(), message_file.to_owned()),
    ])
}

/// Chooses what belongs to one pod.
#[must_use]
pub fn selector(uid: &str) -> HashMap<String, String> {
    HashMap::from([(POD_UID.to_owned(), uid.to_owned())])
}

/// How often the container was started again.
#[must_use]
pub fn restarts(status: &v1::ContainerStatus) -> i32 {
    status.annotations.get(RESTARTS).and_then(|text| text.parse().ok()).unwrap_or(0)
}

/// Whether the container was made from another specification. Only the image can change in place.
#[must_use]
pub fn is_outdated(status: &v1::ContainerStatus, container: &Container) -> bool {
    status.annotations.get(HASH).is_some_and(|old| *old != hash(container))
}

/// Where on the node the termination message is written.
#[must_use]
pub fn message_file(status: &v1::ContainerStatus) -> Option<&str> {
    status.annotations.get(MESSAGE_HOST_PATH).map(String::as_str).filter(|path| !path.is_empty())
}

/// Whether the end of the log stands in for a message after a failure.
#[must_use]
pub fn falls_back_to_logs(status: &v1::ContainerStatus) -> bool {
    status.annotations.get(MESSAGE_POLICY).is_some_and(|policy| policy == "FallbackToLogsOnError")
}

fn hash(container: &Container) -> String {
    let digest = Sha256::digest(format!("{}\0{}", container.name, container.image.as_deref().unwrap_or_default()));
    digest.iter().take(8).map(|b| format!("{b:02x}")).collect()
}
