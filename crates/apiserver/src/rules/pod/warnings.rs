//! What is allowed in a pod but unlikely to be meant.
//!
//! Absent: overlapping files of one volume.

use nakhoda_api::kinds::core::{Container, Pod, PodSpec, PodTemplateSpec, Volume};
use nakhoda_api::names;
use nakhoda_api::quantity::Quantity;

use crate::rules::check::{list, text};

pub(crate) mod labels;
mod ports;

/// Volumes whose drivers are gone.
type Driver = (fn(&Volume) -> bool, &'static str, &'static str);
const DRIVERS: &[Driver] = &[
    (|v| v.photon_persistent_disk.is_some(), "photonPersistentDisk", "deprecated in v1.11, non-functional in v1.16+"),
    (|v| v.git_repo.is_some(), "gitRepo", "deprecated in v1.11, and disabled by default in v1.33+"),
    (|v| v.scale_io.is_some(), "scaleIO", "deprecated in v1.16, non-functional in v1.22+"),
    (|v| v.flocker.is_some(), "flocker", "deprecated in v1.22, non-functional in v1.25+"),
    (|v| v.storageos.is_some(), "storageOS", "deprecated in v1.22, non-functional in v1.25+"),
    (|v| v.quobyte.is_some(), "quobyte", "deprecated in v1.22, non-functional in v1.25+"),
    (|v| v.glusterfs.is_some(), "glusterfs", "deprecated in v1.25, non-functional in v1.26+"),
    (|v| v.cephfs.is_some(), "cephfs", "deprecated in v1.28, non-functional in v1.31+"),
    (|v| v.rbd.is_some(), "rbd", "deprecated in v1.28, non-functional in v1.31+"),
];

/// Of a new pod.
#[must_use]
pub fn pod(pod: &Pod) -> Vec<String> {
    let what = "metadata.name: this is used in the Pod's hostname, which can result in surprising behavior; a DNS label is recommended";
    let mut warnings = name(text(&pod.metadata.name), what);
    if let Some(spec) = &pod.spec {
        warnings.extend(self::spec("spec", spec));
    }
    warnings
}

/// Of something that makes pods: of its name and of its template.
#[must_use]
pub fn workload(named: Option<&String>, template: Option<&PodTemplateSpec>) -> Vec<String> {
    let what = "metadata.name: this is used in Pod names and hostnames, which can result in surprising behavior; a DNS label is recommended";
    let mut warnings = named.map_or_else(Vec::new, |n| name(n, what));
    warnings.extend(template.iter().flat_map(|t| self::template("spec.template.spec", t)));
    warnings
}

/// Of a template whose spec stands at the path.
#[must_use]
pub fn template(path: &str, template: &PodTemplateSpec) -> Vec<String> {
    template.spec.as_ref().map_or_else(Vec::new, |spec| self::spec(path, spec))
}

fn name(name: &str, what: &str) -> Vec<String> {
    match names::is_dns1123_label(name) {
        faults if faults.is_empty() => Vec::new(),
        faults => vec![format!("{what}: [{}]", faults.join(" "))],
    }
}

fn spec(path: &str, spec: &PodSpec) -> Vec<String> {
    let mut warnings = labels::warnings(path, spec);
    for (i, volume) in list(&spec.volumes).iter().enumerate() {
        let gone = DRIVERS.iter().filter(|(uses, ..)| uses(volume));
        warnings.extend(gone.map(|(_, field, text)| format!("{path}.volumes[{i}].{field}: {text}")));
    }
    let addresses = list(&spec.host_aliases).iter().map(|a| a.ip.as_str());
    let secrets = list(&spec.image_pull_secrets).iter().map(|s| s.name.as_str());
    warnings.extend(repeated(addresses, |i, ip| format!("{path}.hostAliases[{i}].ip: duplicate ip \"{ip}\"")));
    let at = |i| format!("{path}.imagePullSecrets[{i}].name");
    warnings.extend(repeated(secrets.clone(), |i, name| format!("{}: duplicate name \"{name}\"", at(i))));
    let unnamed = secrets.enumerate().filter(|(_, name)| name.is_empty());
    warnings.extend(unnamed.map(|(i, _)| format!("{}: invalid empty name \"\"", at(i))));
    for (at, container) in containers(path, spec) {
        fractions(&mut warnings, &at, container);
        environment(&mut warnings, &at, container);
    }
    warnings.extend(ports::warnings(&containers(path, spec)));
    if spec.termination_grace_period_seconds.is_some_and(|s| s < 0) {
        let text = "must be >= 0; negative values are invalid and will be treated as 1";
        warnings.push(format!("{path}.terminationGracePeriodSeconds: {text}"));
    }
    warnings
}

/// Init containers come first, as upstream visits them.
fn containers<'a>(path: &str, spec: &'a PodSpec) -> Vec<(String, &'a Container)> {
    let init = list(&spec.init_containers).iter().enumerate().map(|(i, c)| (format!("{path}.initContainers[{i}]"), c));
    let main = spec.containers.iter().enumerate().map(|(i, c)| (format!("{path}.containers[{i}]"), c));
    init.chain(main).collect()
}

fn repeated<'a>(values: impl Iterator<Item = &'a str>, text: impl Fn(usize, &str) -> String) -> Vec<String> {
    let values: Vec<_> = values.collect();
    values.iter().enumerate().filter(|(i, v)| values[..*i].contains(v)).map(|(i, v)| text(i, v)).collect()
}

/// Bytes have no parts.
fn fractions(warnings: &mut Vec<String>, path: &str, container: &Container) {
    let Some(resources) = &container.resources else { return };
    for name in ["memory", "ephemeral-storage"] {
        for (field, amounts) in [("limits", &resources.limits), ("requests", &resources.requests)] {
            let amount = amounts.as_ref().and_then(|a| a.get(name)).and_then(|q| Quantity::try_from(q).ok());
            if let Some(amount) = amount.filter(|q| q.milli() % 1000 != 0) {
                let text = format!("fractional byte value \"{amount}\" is invalid, must be an integer");
                warnings.push(format!("{path}.resources.{field}[{name}]: {text}"));
            }
        }
    }
}

/// A variable may be set again only on top of its earlier value.
fn environment(warnings: &mut Vec<String>, path: &str, container: &Container) {
    let variables = list(&container.env);
    for (i, variable) in variables.iter().enumerate() {
        let name = &variable.name;
        let (own, value) = (format!("$({name})"), text(&variable.value));
        let builds_on_it = variable.value_from.is_none() && value != own && value.contains(&own);
        if variables[..i].iter().any(|v| v.name == *name) && !builds_on_it {
            let text = format!("hides previous definition of \"{name}\", which may be dropped when using apply");
            warnings.push(format!("{path}.env[{i}]: {text}"));
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_unlikely_to_be_meant_is_told() {
        let given = json!({"metadata": {"name": "a.b"}, "spec": {
            "nodeSelector": {"beta.kubernetes.io/os": "linux"},
            "containers": [
                {"name": "c", "resources": {"limits": {"memory": "100m"}}, "ports": [{"containerPort": 80, "name": "h", "protocol": "TCP"}],
                 "env": [{"name": "A", "value": "1"}, {"name": "A", "value": "$(A)2"}, {"name": "A", "value": "3"}]},
                {"name": "d", "ports": [{"containerPort": 80, "name": "h", "protocol": "TCP"}]}],
        }});
        assert_eq!(
            pod(&serde_json::from_value(given).expect("a pod")),
            [
                "metadata.name: this is used in the Pod's hostname, which can result in surprising behavior; a DNS label is recommended: [must not contain dots]",
                "spec.nodeSelector[beta.kubernetes.io/os]: deprecated since v1.14; use \"kubernetes.io/os\" instead",
                "spec.containers[0].resources.limits[memory]: fractional byte value \"100m\" is invalid, must be an integer",
                "spec.containers[0].env[2]: hides previous definition of \"A\", which may be dropped when using apply",
                "spec.containers[1].ports[0]: duplicate port definition with spec.containers[0].ports[0]",
                "spec.containers[1].ports[0]: duplicate port name \"h\" with spec.containers[0].ports[0], services and probes that select ports by name will use spec.containers[0].ports[0]",
            ]
        );
    }
}
