//! The downward API: what a pod may know of itself, as text.

use k8s_openapi::api::core::v1::{Container, Pod, ResourceFieldSelector};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;

use crate::pod::spec;
use crate::resources::{milli, whole};

/// What only the node knows.
#[derive(Clone, Debug)]
pub struct Facts<'a> {
    /// Name of the node.
    pub node: &'a str,
    /// Addresses of the node.
    pub host_ips: &'a [String],
    /// Addresses of the pod.
    pub pod_ips: &'a [String],
    /// Allocatable thousandths of cores, for a limit that is not set.
    pub cpu: i64,
    /// Allocatable bytes.
    pub memory: i64,
    /// Allocatable bytes of disk.
    pub storage: i64,
}

/// The reference means nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// No such field.
    #[error("unsupported fieldPath: {0}")]
    Field(String),
    /// No such resource.
    #[error("unsupported container resource : {0}")]
    Resource(String),
    /// No such container.
    #[error("container {0} not found")]
    Container(String),
}

/// A field of the pod.
pub fn field(pod: &Pod, path: &str, facts: &Facts<'_>) -> Result<String, Error> {
    let meta = &pod.metadata;
    let unsupported = || Error::Field(path.into());
    if let Some((map, rest)) = path.split_once("['") {
        let key = rest.strip_suffix("']").ok_or_else(unsupported)?;
        let map = match map {
            "metadata.annotations" => meta.annotations.as_ref(),
            "metadata.labels" => meta.labels.as_ref(),
            _ => return Err(unsupported()),
        };
        return Ok(map.and_then(|m| m.get(key)).cloned().unwrap_or_default());
    }
    Ok(match path {
        "metadata.name" => meta.name.clone().unwrap_or_default(),
        "metadata.namespace" => meta.namespace.clone().unwrap_or_default(),
        "metadata.uid" => meta.uid.clone().unwrap_or_default(),
        "metadata.labels" => map(meta.labels.as_ref()),
        "metadata.annotations" => map(meta.annotations.as_ref()),
        "spec.nodeName" => facts.node.into(),
        "spec.serviceAccountName" => spec::of(pod).service_account_name.clone().unwrap_or_default(),
        "status.hostIP" => facts.host_ips.first().cloned().unwrap_or_default(),
        "status.hostIPs" => facts.host_ips.join(","),
        "status.podIP" => facts.pod_ips.first().cloned().unwrap_or_default(),
        "status.podIPs" => facts.pod_ips.join(","),
        _ => return Err(unsupported()),
    })
}

/// A request or limit of a container, in units of its divisor, rounded up.
pub fn resource(
    pod: &Pod,
    own: Option<&Container>,
    select: &ResourceFieldSelector,
    facts: &Facts<'_>,
) -> Result<String, Error> {
    let named = select.container_name.as_deref().filter(|n| !n.is_empty());
    let container = match named {
        Some(name) => spec::containers(spec::of(pod)).map(|(_, c)| c).find(|c| c.name == name),
        None => own,
    };
    let container = container.ok_or_else(|| Error::Container(named.unwrap_or_default().into()))?;
    let unsupported = || Error::Resource(select.resource.clone());
    let (list, name) = select.resource.split_once('.').ok_or_else(unsupported)?;
    let resources = container.resources.as_ref();
    let limits = resources.and_then(|r| r.limits.as_ref()).and_then(|m| m.get(name));
    let requests = resources.and_then(|r| r.requests.as_ref()).and_then(|m| m.get(name));
    let cpu = name == "cpu";
    let amount = |q: &Quantity| if cpu { milli(q) } else { whole(q) };
    let default = match name {
        "cpu" => facts.cpu,
        "memory" => facts.memory,
        "ephemeral-storage" => facts.storage,
        _ => 0,
    };
    let value = match list {
        "limits" => limits.map(amount).filter(|v| *v > 0).unwrap_or(default),
        "requests" => requests.map_or(0, amount),
        _ => return Err(unsupported()),
    };
    let unit = if cpu { 1000 } else { 1 };
    let divisor = select.divisor.as_ref().map(amount).filter(|d| *d > 0).unwrap_or(unit);
    Ok(value.div_euclid(divisor).saturating_add(i64::from(value.rem_euclid(divisor) > 0)).to_string())
}

/// `key="value"` lines, sorted.
fn map(map: Option<&std::collections::BTreeMap<String, String>>) -> String {
    map.into_iter().flatten().map(|(k, v)| format!("{k}={}", go_quote(v))).collect::<Vec<_>>().join("\n")
}

/// As Go's `%q`.
fn go_quote(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn fields_and_resources_read_as_upstream_prints_them() {
        let pod: Pod = serde_json::from_value(json!({
            "metadata": {"name": "p", "labels": {"b": "2", "a": "1"}},
            "spec": {"containers": [{"name": "c", "resources": {"limits": {"cpu": "1500m", "memory": "64Mi"}}}]},
        }))
        .expect("a pod");
        let facts = Facts { node: "n", host_ips: &["h".into()], pod_ips: &[], cpu: 4000, memory: 1 << 30, storage: 0 };
        assert_eq!(field(&pod, "metadata.labels", &facts).as_deref(), Ok("a=\"1\"\nb=\"2\""));
        assert_eq!(field(&pod, "metadata.labels['a']", &facts).as_deref(), Ok("1"));
        assert!(field(&pod, "spec.x", &facts).is_err());
        let ask = |resource: &str, divisor: &str| {
            let select = json!({"containerName": "c", "resource": resource, "divisor": divisor});
            resource_of(&pod, select, &facts)
        };
        assert_eq!(ask("limits.cpu", "1"), "2");
        assert_eq!(ask("limits.cpu", "1m"), "1500");
        assert_eq!(ask("limits.memory", "1Mi"), "64");
        assert_eq!(ask("limits.ephemeral-storage", "0"), "0");
    }

    fn resource_of(pod: &Pod, select: serde_json::Value, facts: &Facts<'_>) -> String {
        resource(pod, None, &serde_json::from_value(select).expect("a selector"), facts).expect("supported")
    }
}
