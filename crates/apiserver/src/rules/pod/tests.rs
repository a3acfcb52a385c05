use serde_json::{Value, json};

use super::*;
use crate::rules::defaults;

fn pod(spec: Value) -> Pod {
    let mut pod: Pod = serde_json::from_value(json!({"metadata": {"name": "p"}, "spec": spec})).expect("a pod");
    defaults::pod(pod.spec.as_mut().expect("a spec"));
    pod
}

fn faults(spec: Value) -> String {
    let mut errors = Errors::default();
    create(&mut errors, &pod(spec));
    errors.to_string()
}

/// The faults of a pod with one container that has these fields.
fn container(fields: Value) -> String {
    let mut container = json!({"name": "c", "image": "i"});
    container.as_object_mut().expect("an object").extend(fields.as_object().expect("an object").clone());
    faults(json!({"containers": [container]}))
}

fn changed(old: Value, new: Value) -> String {
    let mut errors = Errors::default();
    update::validate(&mut errors, &pod(new), &pod(old));
    errors.to_string()
}

#[test]
fn a_plain_pod_is_valid() {
    assert_eq!(container(json!({})), "");
    assert_eq!(
        container(json!({"ports": [{"containerPort": 80, "name": "http"}], "env": [{"name": "A", "value": "b"}],
            "readinessProbe": {"httpGet": {"port": "http"}}, "resources": {"limits": {"cpu": "1", "example.com/gpu": "2"}}})),
        ""
    );
}

#[test]
fn containers_need_name_and_image() {
    assert_eq!(faults(json!({"containers": []})), "spec.containers: Required value");
    assert_eq!(
        faults(json!({"containers": [{"name": "", "image": ""}, {"name": "a.b", "image": " i"}]})),
        "[spec.containers[0].name: Required value, spec.containers[0].image: Required value, \
         spec.containers[1].name: Invalid value: \"a.b\": must not contain dots, \
         spec.containers[1].image: Invalid value: \" i\": must not have leading or trailing whitespace]"
    );
    assert_eq!(
        faults(json!({"containers": [{"name": "a", "image": "i"}, {"name": "a", "image": "i"}],
                      "initContainers": [{"name": "a", "image": "i", "livenessProbe": {"exec": {"command": ["x"]}}}]})),
        "[spec.containers[1].name: Duplicate value: \"a\", spec.initContainers[0].name: Duplicate value: \"a\", \
         spec.initContainers[0].livenessProbe: Forbidden: may not be set for init containers without restartPolicy=Always]"
    );
}

#[test]
fn policies_are_known_words() {
    assert_eq!(
        faults(
            json!({"containers": [{"name": "a", "image": "i", "imagePullPolicy": "x"}], "restartPolicy": "y", "dnsPolicy": "z"})
        ),
        "[spec.containers[0].imagePullPolicy: Unsupported value: \"x\": supported values: \"Always\", \"IfNotPresent\", \"Never\", \
         spec.restartPolicy: Unsupported value: \"y\": supported values: \"Always\", \"OnFailure\", \"Never\", \
         spec.dnsPolicy: Unsupported value: \"z\": supported values: \"ClusterFirstWithHostNet\", \"ClusterFirst\", \"Default\", \"None\"]"
    );
}

#[test]
fn ports_are_numbers_with_unique_names() {
    assert_eq!(
        container(
            json!({"ports": [{"containerPort": 0, "name": "a"}, {"containerPort": 70000, "name": "a", "protocol": "x"},
                                   {"containerPort": 1, "hostPort": 9}, {"containerPort": 2, "hostPort": 9}]})
        ),
        "[spec.containers[0].ports[0].containerPort: Required value, \
         spec.containers[0].ports[1].name: Duplicate value: \"a\", \
         spec.containers[0].ports[1].containerPort: Invalid value: 70000: must be between 1 and 65535, inclusive, \
         spec.containers[0].ports[1].protocol: Unsupported value: \"x\": supported values: \"SCTP\", \"TCP\", \"UDP\", \
         spec.containers[0].ports[3].hostPort: Duplicate value: \"TCP//9\"]"
    );
}

#[test]
fn variables_have_one_source() {
    assert_eq!(
        container(
            json!({"env": [{"name": "a=b"}, {"name": "B", "valueFrom": {}}, {"name": "C", "value": "x", "valueFrom":
            {"fieldRef": {"fieldPath": "metadata.name"}}}, {"name": "D", "valueFrom": {"fieldRef": {"fieldPath": "status.phase"}}}]})
        ),
        "[spec.containers[0].env[0].name: Invalid value: \"a=b\": a valid environment variable name must consist only of printable ASCII characters other than '=', \
         spec.containers[0].env[1].valueFrom: Invalid value: \"\": must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`, \
         spec.containers[0].env[2].valueFrom: Invalid value: \"\": may not be specified when `value` is not empty, \
         spec.containers[0].env[3].valueFrom.fieldRef.fieldPath: Unsupported value: \"status.phase\": supported values: \"metadata.name\", \"metadata.namespace\", \"metadata.uid\", \"spec.nodeName\", \"spec.serviceAccountName\", \"status.hostIP\", \"status.hostIPs\", \"status.podIP\", \"status.podIPs\"]"
    );
}

#[test]
fn volumes_are_named_once_and_mounts_find_them() {
    assert_eq!(
        faults(json!({"containers": [{"name": "c", "image": "i", "volumeMounts": [
                {"name": "a", "mountPath": "/x"}, {"name": "b", "mountPath": "/x"}]}],
            "volumes": [{"name": "a"}, {"name": "a"}, {"name": "s", "secret": {"items": [{"key": "k", "path": "../p"}]}},
                        {"name": "t", "emptyDir": {}, "hostPath": {"path": "/a"}}]})),
        "[spec.volumes[1].name: Duplicate value: \"a\", spec.volumes[2].secret.secretName: Required value, \
         spec.volumes[2].secret.items[0].path: Invalid value: \"../p\": must not contain '..', \
         spec.volumes[3].hostPath: Forbidden: may not specify more than 1 volume type, \
         spec.containers[0].volumeMounts[1].name: Not found: \"b\", \
         spec.containers[0].volumeMounts[1].mountPath: Invalid value: \"/x\": must be unique]"
    );
    assert_eq!(
        faults(json!({"containers": [{"name": "c", "image": "i"}],
            "volumes": [{"name": "p", "projected": {"sources": [{"serviceAccountToken": {"path": "t", "expirationSeconds": 1}}]}}]})),
        "[spec.volumes[0].projected.sources[0].serviceAccountToken.expirationSeconds: Invalid value: 1: may not specify a duration less than 10 minutes, \
         spec.volumes[0].projected.sources[0].serviceAccountToken: Forbidden: must not be specified when serviceAccountName is not set]"
    );
}

#[test]
fn probes_have_one_handler() {
    assert_eq!(
        container(
            json!({"livenessProbe": {"successThreshold": 2}, "readinessProbe": {"exec": {}, "tcpSocket": {"port": 1}}})
        ),
        "[spec.containers[0].livenessProbe: Required value: must specify a handler type, \
         spec.containers[0].livenessProbe.successThreshold: Invalid value: 2: must be 1, \
         spec.containers[0].readinessProbe.exec.command: Required value, \
         spec.containers[0].readinessProbe.tcpSocket: Forbidden: may not specify more than 1 handler type]"
    );
    assert_eq!(
        container(json!({"lifecycle": {"preStop": {"sleep": {"seconds": 31}}}})),
        "spec.containers[0].lifecycle.preStop.sleep: Invalid value: 31: must be non-negative and less than terminationGracePeriodSeconds (30)"
    );
}

#[test]
fn requests_stay_below_limits() {
    assert_eq!(
        container(json!({"resources": {"limits": {"cpu": "1"}, "requests": {"cpu": "2", "x": "1", "memory": "-1"}}})),
        "[spec.containers[0].resources.requests: Invalid value: \"2\": must be less than or equal to cpu limit of 1, \
         spec.containers[0].resources.requests[memory]: Invalid value: \"-1\": must be greater than or equal to 0, \
         spec.containers[0].resources.requests[x]: Invalid value: \"x\": must be a standard resource type or fully qualified, \
         spec.containers[0].resources.requests[x]: Invalid value: \"x\": must be a standard resource for containers]"
    );
}

#[test]
fn security_affinity_and_tolerations_are_looked_into() {
    let spec = |more: Value| {
        let mut spec = json!({"containers": [{"name": "c", "image": "i"}]});
        spec.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        faults(spec)
    };
    assert_eq!(
        spec(json!({"securityContext": {"runAsUser": -1, "seccompProfile": {"type": "Localhost"}}})),
        "[spec.securityContext.runAsUser: Invalid value: -1: must be between 0 and 2147483647, inclusive, \
         spec.securityContext.seccompProfile.localhostProfile: Required value: must be set when seccomp type is Localhost]"
    );
    assert_eq!(
        spec(json!({"tolerations": [{"operator": "Equal"}, {"key": "a", "tolerationSeconds": 1}]})),
        "[spec.tolerations[0].operator: Invalid value: \"Equal\": operator must be Exists when `key` is empty, which means \"match all values and all keys\", \
         spec.tolerations[1].effect: Invalid value: \"\": effect must be 'NoExecute' when `tolerationSeconds` is set]"
    );
    assert_eq!(
        spec(
            json!({"affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [
            {"matchExpressions": [{"key": "a", "operator": "In"}], "matchFields": [{"key": "b", "operator": "In", "values": ["c"]}]}]}}}})
        ),
        "[spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[0].matchExpressions[0].values: Required value: must be specified when `operator` is 'In' or 'NotIn', \
         spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[0].matchFields[0].key: Invalid value: \"b\": not a valid field selector key]"
    );
    assert_eq!(
        spec(json!({"topologySpreadConstraints": [{"maxSkew": 0, "topologyKey": "", "whenUnsatisfiable": "x"}]})),
        "[spec.topologySpreadConstraints[0].maxSkew: Invalid value: 0: must be greater than zero, \
         spec.topologySpreadConstraints[0].topologyKey: Required value: can not be empty, \
         spec.topologySpreadConstraints[0].whenUnsatisfiable: Unsupported value: \"x\": supported values: \"DoNotSchedule\", \"ScheduleAnyway\"]"
    );
}

#[test]
fn images_tolerations_and_deadlines_may_change() {
    let old = json!({"containers": [{"name": "c", "image": "a"}], "nodeName": "n"});
    let new = json!({"containers": [{"name": "c", "image": "b", "imagePullPolicy": "Always"}], "nodeName": "n",
                     "activeDeadlineSeconds": 5, "tolerations": [{"operator": "Exists"}]});
    assert_eq!(changed(old.clone(), new), "");
    let new = json!({"containers": [{"name": "c", "image": "a"}], "nodeName": "m"});
    let text = changed(old.clone(), new);
    assert!(text.starts_with("spec: Forbidden: pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)\n"), "{text}");
    assert_eq!(
        changed(old, json!({"containers": []})),
        "[spec.containers: Required value, spec.containers: Forbidden: pod updates may not add or remove containers]"
    );
}

#[test]
fn what_ended_stays_ended() {
    let with = |state: Value| {
        let mut pod = pod(json!({"containers": [{"name": "c", "image": "i"}], "restartPolicy": "Never"}));
        let status = json!({"containerStatuses": [{"name": "c", "state": state}], "podIPs": [{"ip": "x"}]});
        pod.status = serde_json::from_value(status).expect("a status");
        pod
    };
    let mut errors = Errors::default();
    status::validate(&mut errors, &with(json!({"running": {}})), &with(json!({"terminated": {"exitCode": 0}})));
    assert_eq!(
        errors.to_string(),
        "[status.containerStatuses[0].state: Forbidden: may not be transitioned to non-terminated state, \
         status.podIPs[0]: Invalid value: \"x\": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)]"
    );
}
