//! Pods, and what each version of the standards has against them.

use nakhoda_api::kinds::core::Pod;
use serde_json::{Value, json};

use super::super::policy::{Level, Standard, Version};
use super::*;

fn told(level: Level, minor: u32, pod: &Value) -> String {
    let pod: Pod = serde_json::from_value(pod.clone()).expect("a pod");
    let spec = pod.spec.as_ref().expect("a spec");
    details(&faults(Standard { level, version: Version::Minor(minor) }, &Subject::new(Some(&pod.metadata), spec)))
}

/// A pod of one container `c`, with further fields of the spec and of the container's security context.
fn pod(spec: Value, security: Value) -> Value {
    let mut pod = json!({"metadata": {"name": "p"}, "spec": {"containers": [{"name": "c", "securityContext": security}]}});
    for (field, value) in spec.as_object().into_iter().flatten() {
        pod["spec"][field] = value.clone();
    }
    pod
}

#[test]
fn baseline_refuses_what_reaches_the_node() {
    let none = || json!({});
    let ports = json!([{"name": "a", "ports": [{"containerPort": 1, "hostPort": 80}]}, {"name": "b", "ports": [{"containerPort": 1, "hostPort": 8080}]}]);
    let probe = json!([{"name": "a", "livenessProbe": {"httpGet": {"host": "h", "port": 1}}, "lifecycle": {"preStop": {"tcpSocket": {"host": "g", "port": 1}}}}]);
    for (pod, minor, wanted) in [
        (pod(none(), none()), 36, ""),
        (pod(json!({"hostNetwork": true, "hostIPC": true}), none()), 0, "host namespaces (hostNetwork=true, hostIPC=true)"),
        (pod(json!({"volumes": [{"name": "v", "hostPath": {"path": "/"}}]}), none()), 0, "hostPath volumes (volume \"v\")"),
        (pod(json!({"containers": ports}), none()), 0, "hostPort (containers \"a\", \"b\" use hostPorts 80, 8080)"),
        (pod(none(), json!({"privileged": true})), 0, "privileged (container \"c\" must not set securityContext.privileged=true)"),
        (
            pod(none(), json!({"capabilities": {"add": ["NET_RAW", "CHOWN", "BPF"]}})),
            0,
            "non-default capabilities (container \"c\" must not include \"BPF\", \"NET_RAW\" in securityContext.capabilities.add)",
        ),
        (pod(none(), json!({"procMount": "Unmasked"})), 0, "procMount (container \"c\" must not set securityContext.procMount to \"Unmasked\")"),
        (pod(json!({"hostUsers": false}), json!({"procMount": "Unmasked"})), 35, ""),
        (
            pod(json!({"securityContext": {"seLinuxOptions": {"type": "x", "user": "u"}}}), json!({"seLinuxOptions": {"role": "r"}})),
            0,
            "seLinuxOptions (pod and container \"c\" set forbidden securityContext.seLinuxOptions: type \"x\"; user may not be set; role may not be set)",
        ),
        (pod(none(), json!({"seLinuxOptions": {"type": "container_engine_t"}})), 31, ""),
        (
            pod(none(), json!({"seccompProfile": {"type": "Unconfined"}})),
            19,
            "seccompProfile (container \"c\" must not set securityContext.seccompProfile.type to \"Unconfined\")",
        ),
        (pod(none(), json!({"seccompProfile": {"type": "Unconfined"}})), 18, ""),
        (pod(json!({"securityContext": {"sysctls": [{"name": "net.ipv4.tcp_rmem", "value": "1"}]}}), none()), 31, "forbidden sysctls (net.ipv4.tcp_rmem)"),
        (pod(json!({"securityContext": {"sysctls": [{"name": "net.ipv4.tcp_rmem", "value": "1"}]}}), none()), 32, ""),
        (
            pod(json!({"securityContext": {"windowsOptions": {"hostProcess": true}}}), none()),
            0,
            "hostProcess (pod must not set securityContext.windowsOptions.hostProcess=true)",
        ),
        (
            pod(json!({"securityContext": {"appArmorProfile": {"type": "Unconfined"}}}), none()),
            0,
            "forbidden AppArmor profile (pod must not set AppArmor profile type to \"Unconfined\")",
        ),
        (pod(json!({"containers": probe}), none()), 33, ""),
        (pod(json!({"containers": probe}), none()), 34, "probe or lifecycle host (container \"a\" uses probe or lifecycle hosts \"g\", \"h\")"),
    ] {
        assert_eq!(told(Level::Baseline, minor, &pod), wanted);
    }
}

#[test]
fn annotations_of_old_count_where_they_did() {
    let mut pod = pod(json!({}), json!({}));
    pod["metadata"]["annotations"] = json!({
        "seccomp.security.alpha.kubernetes.io/pod": "unconfined",
        "container.apparmor.security.beta.kubernetes.io/c": "unconfined",
    });
    let armor = "forbidden AppArmor profile (annotation must not set AppArmor profile type to \"container.apparmor.security.beta.kubernetes.io/c=\"unconfined\"\")";
    let filter = "seccompProfile (forbidden annotation seccomp.security.alpha.kubernetes.io/pod=\"unconfined\")";
    assert_eq!(told(Level::Baseline, 18, &pod), format!("{armor}, {filter}"));
    assert_eq!(told(Level::Baseline, 19, &pod), armor);
}

#[test]
fn restricted_asks_for_what_hardens() {
    let hard = || json!({
        "allowPrivilegeEscalation": false, "capabilities": {"drop": ["ALL"]},
        "runAsNonRoot": true, "seccompProfile": {"type": "RuntimeDefault"},
    });
    let with = |field: &str, value: Value| {
        let mut security = hard();
        security[field] = value;
        security
    };
    let all = concat!(
        "allowPrivilegeEscalation != false (container \"c\" must set securityContext.allowPrivilegeEscalation=false), ",
        "unrestricted capabilities (container \"c\" must set securityContext.capabilities.drop=[\"ALL\"]), ",
        "runAsNonRoot != true (pod or container \"c\" must set securityContext.runAsNonRoot=true), ",
        "seccompProfile (pod or container \"c\" must set securityContext.seccompProfile.type to \"RuntimeDefault\" or \"Localhost\")",
    );
    let volumes = json!({"volumes": [{"name": "v", "hostPath": {"path": "/"}}, {"name": "w", "nfs": {"server": "s", "path": "/"}}, {"name": "x", "emptyDir": {}}]});
    for (pod, minor, wanted) in [
        (pod(json!({}), json!({})), 36, all),
        (pod(json!({}), hard()), 36, ""),
        (pod(json!({"os": {"name": "windows"}}), json!({"runAsNonRoot": true})), 25, ""),
        (
            pod(json!({}), with("capabilities", json!({"drop": ["ALL"], "add": ["NET_BIND_SERVICE", "CHOWN"]}))),
            22,
            "unrestricted capabilities (container \"c\" must not include \"CHOWN\" in securityContext.capabilities.add)",
        ),
        (pod(volumes, hard()), 36, "restricted volume types (volumes \"v\", \"w\" use restricted volume types \"hostPath\", \"nfs\")"),
        (pod(json!({}), with("runAsUser", json!(0))), 22, ""),
        (pod(json!({}), with("runAsUser", json!(0))), 23, "runAsUser=0 (container \"c\" must not set runAsUser=0)"),
        (pod(json!({"hostUsers": false}), with("runAsUser", json!(0))), 35, ""),
        (
            pod(json!({"hostUsers": false}), with("procMount", json!("Unmasked"))),
            35,
            "procMount (container \"c\" must not set securityContext.procMount to \"Unmasked\")",
        ),
        (
            pod(json!({"securityContext": {"runAsNonRoot": false}}), with("runAsNonRoot", json!(false))),
            36,
            "runAsNonRoot != true (pod and container \"c\" must not set securityContext.runAsNonRoot=false)",
        ),
    ] {
        assert_eq!(told(Level::Restricted, minor, &pod), wanted);
    }
}
