//! Pods.

use serde_json::Value;

use super::sheet::Sheet;
use super::template::{containers, volumes};
use super::values::{age, controller, labels_and_annotations, or_none, pairs, scalar, time, tolerations};
use crate::cluster::{items, text};
use crate::{Cluster, Error};

/// Writes a pod.
pub async fn describe(sheet: &mut Sheet, _: &Cluster, pod: &Value) -> Result<(), Error> {
    write(sheet, pod);
    Ok(())
}

fn write(sheet: &mut Sheet, pod: &Value) {
    head(sheet, pod);
    addresses(sheet, pod);
    controller(sheet, pod);
    let (spec, status) = (&pod["spec"], &pod["status"]);
    for (label, list, statuses) in [
        ("Init Containers", "initContainers", "initContainerStatuses"),
        ("Containers", "containers", "containerStatuses"),
        ("Ephemeral Containers", "ephemeralContainers", "ephemeralContainerStatuses"),
    ] {
        if spec[list].as_array().is_some_and(|all| !all.is_empty()) {
            containers::write(sheet, 0, label, &spec[list], &status[statuses]);
        }
    }
    let mut conditions = items(status, "/conditions").peekable();
    if conditions.peek().is_some() {
        sheet.line(0, "Conditions:");
        sheet.line(1, "Type\tStatus");
        conditions.for_each(|c| sheet.line(1, format!("{} \t{} ", text(c, "/type"), text(c, "/status"))));
    }
    volumes::write(sheet, 0, &spec["volumes"]);
    sheet.field(0, "QoS Class", text(status, "/qosClass"));
    sheet.many(0, "Node-Selectors", &pairs(&spec["nodeSelector"]));
    sheet.many(0, "Tolerations", &tolerations(&spec["tolerations"]));
}

fn head(sheet: &mut Sheet, pod: &Value) {
    let field = |path| text(pod, path);
    sheet.field(0, "Name", field("/metadata/name"));
    sheet.field(0, "Namespace", field("/metadata/namespace"));
    sheet.field_if(0, "Priority", &scalar(&pod["spec"]["priority"]));
    sheet.field_if(0, "Priority Class Name", field("/spec/priorityClassName"));
    sheet.field_if(0, "Runtime Class Name", field("/spec/runtimeClassName"));
    sheet.field_if(0, "Service Account", field("/spec/serviceAccountName"));
    let node = match field("/spec/nodeName") {
        "" => String::new(),
        node => format!("{node}/{}", field("/status/hostIP")),
    };
    sheet.field(0, "Node", or_none(&node));
    if !field("/status/startTime").is_empty() {
        sheet.field(0, "Start Time", time(field("/status/startTime")));
    }
    labels_and_annotations(sheet, 0, &pod["metadata"]);
    let phase = field("/status/phase");
    let deletion = field("/metadata/deletionTimestamp");
    if deletion.is_empty() || matches!(phase, "Failed" | "Succeeded") {
        sheet.field(0, "Status", phase);
    } else {
        sheet.field(0, "Status", format!("Terminating (lasts {})", age(sheet.now, deletion)));
        let seconds = scalar(&pod["metadata"]["deletionGracePeriodSeconds"]);
        sheet.field(0, "Termination Grace Period", format!("{seconds}s"));
    }
    sheet.field_if(0, "Reason", field("/status/reason"));
    sheet.field_if(0, "Message", field("/status/message"));
    sheet.field_if(0, "SeccompProfile", field("/spec/securityContext/seccompProfile/type"));
}

fn addresses(sheet: &mut Sheet, pod: &Value) {
    sheet.field(0, "IP", text(pod, "/status/podIP"));
    let mut all = items(pod, "/status/podIPs").peekable();
    if all.peek().is_none() {
        sheet.field(0, "IPs", "<none>");
        return;
    }
    sheet.line(0, "IPs:");
    all.for_each(|address| sheet.field(1, "IP", text(address, "/ip")));
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_running_pod_is_described_as_kubectl_describes_it() {
        let pod = json!({"kind": "Pod", "metadata": {"name": "web", "namespace": "default", "labels": {"app": "web"}},
            "spec": {"nodeName": "n", "containers": [{"name": "c", "image": "i", "ports": [{"containerPort": 80, "protocol": "TCP"}]}]},
            "status": {"phase": "Running", "hostIP": "10.0.0.1", "podIP": "10.1.0.1", "podIPs": [{"ip": "10.1.0.1"}], "qosClass": "BestEffort",
                "conditions": [{"type": "Ready", "status": "True"}],
                "containerStatuses": [{"name": "c", "ready": true, "restartCount": 1, "state": {"waiting": {"reason": "CrashLoopBackOff"}}}]}});
        let mut sheet = Sheet::new(jiff::Timestamp::UNIX_EPOCH);
        write(&mut sheet, &pod);
        let expected = "\
Name:         web
Namespace:    default
Node:         n/10.0.0.1
Labels:       app=web
Annotations:  <none>
Status:       Running
IP:           10.1.0.1
IPs:
  IP:  10.1.0.1
Containers:
  c:
    Container ID:   
    Image:          i
    Image ID:       
    Port:           80/TCP
    Host Port:      0/TCP
    State:          Waiting
      Reason:       CrashLoopBackOff
    Ready:          True
    Restart Count:  1
    Environment:    <none>
    Mounts:         <none>
Conditions:
  Type           Status
  Ready          True 
Volumes:         <none>
QoS Class:       BestEffort
Node-Selectors:  <none>
Tolerations:     <none>
";
        assert_eq!(sheet.text(), expected);
    }
}
