//! `pods/ephemeralcontainers`: containers join a pod, and none of those that did is changed or taken away.
//!
//! Absent: the annotation `kubernetes.io/enforce-mountable-secrets` of a service account is not looked at.

use std::collections::BTreeMap;

use nakhoda_api::field::{Errors, Path};
use nakhoda_api::kinds::core::{EphemeralContainer, Pod, PodSpec};
use nakhoda_api::kinds::meta::ObjectMeta;

use super::annotations;
use crate::rules::check::{list, same};
use crate::rules::diff;
use crate::rules::diff::Fields;
use crate::rules::diff::Form::{Any, Flag, Inline, Text};

/// An ephemeral container as upstream's internal type has it.
const FIELDS: Fields = &[
    ("Name", "name", Text),
    ("Image", "image", Text),
    ("Command", "command", Any),
    ("Args", "args", Any),
    ("WorkingDir", "workingDir", Text),
    ("Ports", "ports", Any),
    ("EnvFrom", "envFrom", Any),
    ("Env", "env", Any),
    ("Resources", "resources", Inline(RESOURCES)),
    ("ResizePolicy", "resizePolicy", Any),
    ("RestartPolicy", "restartPolicy", Any),
    ("RestartPolicyRules", "restartPolicyRules", Any),
    ("VolumeMounts", "volumeMounts", Any),
    ("VolumeDevices", "volumeDevices", Any),
    ("LivenessProbe", "livenessProbe", Any),
    ("ReadinessProbe", "readinessProbe", Any),
    ("StartupProbe", "startupProbe", Any),
    ("Lifecycle", "lifecycle", Any),
    ("TerminationMessagePath", "terminationMessagePath", Text),
    ("TerminationMessagePolicy", "terminationMessagePolicy", Text),
    ("ImagePullPolicy", "imagePullPolicy", Text),
    ("SecurityContext", "securityContext", Any),
    ("Stdin", "stdin", Flag),
    ("StdinOnce", "stdinOnce", Flag),
    ("TTY", "tty", Flag),
    ("TargetContainerName", "targetContainerName", Text),
];
const RESOURCES: Fields = &[("Limits", "limits", Any), ("Requests", "requests", Any), ("Claims", "claims", Any)];

/// Puts everything back but the ephemeral containers.
pub fn keep(new: &mut Pod, old: &Pod) {
    let joining = new.spec.as_mut().and_then(|spec| spec.ephemeral_containers.take());
    keep_rest(new, old);
    if let Some(spec) = &mut new.spec {
        spec.ephemeral_containers = joining;
    }
}

/// Puts spec, status and what describes the pod back; what serves as a precondition stays.
pub(super) fn keep_rest(new: &mut Pod, old: &Pod) {
    new.spec.clone_from(&old.spec);
    new.status.clone_from(&old.status);
    let ObjectMeta { labels, annotations, finalizers, owner_references, .. } = &old.metadata;
    new.metadata.labels.clone_from(labels);
    new.metadata.annotations.clone_from(annotations);
    new.metadata.finalizers.clone_from(finalizers);
    new.metadata.owner_references.clone_from(owner_references);
}

/// A pod that containers join.
pub fn validate(errors: &mut Errors, new: &Pod, old: &Pod) {
    if annotations::is_mirror(old) {
        return errors.forbidden(&Path::new("[]"), "static pods do not support ephemeral containers");
    }
    let none = PodSpec::default();
    let (spec, before) = (new.spec.as_ref().unwrap_or(&none), old.spec.as_ref().unwrap_or(&none));
    super::whole(errors, new, spec);
    let path = Path::new("spec").child("ephemeralContainers");
    let now: BTreeMap<&str, &EphemeralContainer> =
        list(&spec.ephemeral_containers).iter().map(|c| (c.name.as_str(), c)).collect();
    for old in list(&before.ephemeral_containers) {
        let words = format!("existing ephemeral containers {:?} may not be", old.name);
        match now.get(old.name.as_str()) {
            None => errors.forbidden(&path, format!("{words} removed\n")),
            Some(new) if !same(*new, old) => errors.forbidden(&path, format!("{words} changed\n{}", shown(old, new))),
            Some(_) => {}
        }
    }
}

fn shown(old: &EphemeralContainer, new: &EphemeralContainer) -> String {
    let value = |c: &EphemeralContainer| serde_json::to_value(c).unwrap_or_default();
    diff::internal(&value(old), &value(new), FIELDS)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::kinds::core::pod::Pods;
    use crate::kinds::testing;

    fn pod(ephemeral: Value) -> Value {
        json!({"metadata": {"name": "a"}, "spec": {
            "containers": [{"name": "c", "image": "i", "imagePullPolicy": "Always", "terminationMessagePolicy": "File"}],
            "ephemeralContainers": ephemeral, "restartPolicy": "Always", "dnsPolicy": "Default", "terminationGracePeriodSeconds": 30}})
    }

    fn one(name: &str, image: &str) -> Value {
        json!({"name": name, "image": image, "imagePullPolicy": "Always", "terminationMessagePolicy": "File"})
    }

    fn faults(old: Value, new: Value) -> String {
        testing::faults::<Pods>("ephemeralcontainers", pod(new), Some(pod(old)))
    }

    #[test]
    fn containers_join_in_any_order() {
        assert_eq!(faults(json!([one("d", "i")]), json!([one("e", "i"), one("d", "i")])), "");
    }

    #[test]
    fn what_joined_stays_as_it_is() {
        let refused = faults(json!([one("d", "i")]), json!([one("d", "j")]));
        assert!(refused.starts_with(
            "spec.ephemeralContainers: Forbidden: existing ephemeral containers \"d\" may not be changed\n@@ -1,6 +1,6 @@\n {\n  \"Name\": \"d\",\n- \"Image\": \"i\","
        ), "{refused}");
        let refused = faults(json!([one("d", "i")]), json!([]));
        assert_eq!(
            refused,
            "spec.ephemeralContainers: Forbidden: existing ephemeral containers \"d\" may not be removed\n"
        );
    }

    #[test]
    fn only_the_ephemeral_containers_are_taken() {
        let mut new = pod(json!([one("d", "i")]));
        new["metadata"]["labels"] = json!({"a": "b"});
        new["spec"]["containers"][0]["image"] = json!("other");
        let kept = testing::prepared_in::<Pods>("ephemeralcontainers", new, Some(pod(json!([]))));
        assert_eq!(kept["metadata"].get("labels"), None);
        assert_eq!(kept["spec"]["containers"][0]["image"], "i");
        assert_eq!(kept["spec"]["ephemeralContainers"][0]["name"], "d");
    }
}
