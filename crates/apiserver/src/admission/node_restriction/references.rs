//! Which objects of the API a pod names. A mirror pod names none: whoever makes one would give his node the right to
//! read them (`podutil.HasAPIObjectReference`).

use nakhoda_api::Object;
use serde_json::Value;

/// Volumes that name objects, and how that is told.
const VOLUMES: &[(&str, &str)] = &[
    ("configMap", "configmaps (via configmap volumes)"),
    ("secret", "secrets (via secret volumes)"),
    ("csi", "csidrivers (via CSI volumes)"),
    ("glusterfs", "endpoints (via glusterFS volumes)"),
    ("persistentVolumeClaim", "persistentvolumeclaims"),
    ("ephemeral", "persistentvolumeclaims (via ephemeral volumes)"),
    ("azureFile", "secrets (via azureFile volumes)"),
];
/// The same for sources of projected volumes.
const SOURCES: &[(&str, &str)] = &[
    ("configMap", "configmaps (via projected volumes)"),
    ("secret", "secrets (via projected volumes)"),
    ("serviceAccountToken", "serviceaccounts (via projected volumes)"),
    ("clusterTrustBundle", "clustertrustbundles"),
    ("podCertificate", "podcertificates"),
];
/// Fields of volumes by which one of the older types names a secret.
const BY_REFERENCE: &[&str] = &["cephfs", "cinder", "flexVolume", "iscsi", "rbd", "scaleIO", "storageos"];

/// What a pod names first, in upstream's words and order.
pub(super) fn first(pod: &Object) -> Option<&'static str> {
    let spec = pod.at(&["spec"])?;
    if spec["serviceAccountName"].as_str().is_some_and(|name| !name.is_empty()) {
        return Some("serviceaccounts");
    }
    let containers = || ["initContainers", "containers", "ephemeralContainers"].into_iter().flat_map(|k| list(&spec[k]));
    let from = |container: &Value, reference: &str, key: &str| {
        list(&container["envFrom"]).any(|source| source[reference].is_object())
            || list(&container["env"]).any(|variable| variable["valueFrom"][key].is_object())
    };
    let volumes = || list(&spec["volumes"]);
    let projects = |volume: &Value, what: &str| list(&volume["projected"]["sources"]).any(|s| s[what].is_object());
    let names = |what: &'static str| volumes().any(|v| v[what].is_object() || projects(v, what));
    if list(&spec["imagePullSecrets"]).next().is_some()
        || containers().any(|c| from(c, "secretRef", "secretKeyRef"))
        || names("secret")
        || volumes().any(|v| v["azureFile"].is_object() || v["csi"]["nodePublishSecretRef"].is_object())
        || volumes().any(|v| BY_REFERENCE.iter().any(|kind| v[*kind]["secretRef"].is_object()))
    {
        return Some("secrets");
    }
    if containers().any(|c| from(c, "configMapRef", "configMapKeyRef")) || names("configMap") {
        return Some("configmaps");
    }
    if list(&spec["resourceClaims"]).next().is_some() {
        return Some("resourceclaims");
    }
    volumes().find_map(|volume| {
        let plain = VOLUMES.iter().find(|(kind, _)| volume[*kind].is_object());
        let projected = SOURCES.iter().find(|(kind, _)| projects(volume, kind));
        plain.or(projected).map(|(_, told)| *told)
    })
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn whatever_a_pod_names_is_found() {
        let volume = |volume: Value| json!({"volumes": [{"emptyDir": {}}, volume]});
        let env = |from: Value| json!({"containers": [{}, {"env": [{"name": "A", "value": "b"}, {"valueFrom": from}]}]});
        for (spec, told) in [
            (json!({"containers": [{"name": "c"}], "volumes": [{"hostPath": {"path": "/x"}}]}), None),
            (json!({"serviceAccountName": "a"}), Some("serviceaccounts")),
            (json!({"imagePullSecrets": [{"name": "s"}]}), Some("secrets")),
            (json!({"initContainers": [{"envFrom": [{"secretRef": {"name": "s"}}]}]}), Some("secrets")),
            (env(json!({"secretKeyRef": {"name": "s", "key": "k"}})), Some("secrets")),
            (volume(json!({"rbd": {"secretRef": {"name": "s"}}})), Some("secrets")),
            (env(json!({"configMapKeyRef": {"name": "s", "key": "k"}})), Some("configmaps")),
            (volume(json!({"configMap": {"name": "m"}})), Some("configmaps")),
            (json!({"resourceClaims": [{"name": "d"}]}), Some("resourceclaims")),
            (volume(json!({"csi": {"driver": "d"}})), Some("csidrivers (via CSI volumes)")),
            (volume(json!({"persistentVolumeClaim": {"claimName": "c"}})), Some("persistentvolumeclaims")),
            (
                volume(json!({"projected": {"sources": [{"downwardAPI": {}}, {"serviceAccountToken": {}}]}})),
                Some("serviceaccounts (via projected volumes)"),
            ),
        ] {
            let pod = Object::from_value(json!({"spec": spec})).expect("an object");
            assert_eq!(first(&pod), told, "{spec}");
        }
    }
}
