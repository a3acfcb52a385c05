//! What makes a pod the one of its number: its name, labels, host name and claims.

use nakhoda_api::kinds::apps::StatefulSet;
use nakhoda_api::kinds::core::{PersistentVolumeClaim, PersistentVolumeClaimVolumeSource, Pod, PodSpec, Volume};
use nakhoda_client::Resource;

use super::plan::Version;
use crate::history::HASH;
use crate::pod_control::from_template;

/// The label with a pod's name.
const POD_NAME: &str = "statefulset.kubernetes.io/pod-name";
/// The label with a pod's number.
const POD_INDEX: &str = "apps.kubernetes.io/pod-index";

/// The number of a pod, by its name.
#[must_use]
pub fn ordinal(pod: &Pod) -> Option<i64> {
    let (_, digits) = pod.name().rsplit_once('-')?;
    number(digits)
}

/// The number that a name has among the names of a set.
#[must_use]
pub fn ordinal_in(set: &str, name: &str) -> Option<i64> {
    number(name.strip_prefix(set)?.strip_prefix('-')?)
}

/// The first number of a set.
#[must_use]
pub fn start(set: &StatefulSet) -> i64 {
    set.spec.ordinals.as_ref().and_then(|o| o.start).unwrap_or_default().into()
}

/// Whether a set of this size has a pod of this number.
#[must_use]
pub fn in_range(set: &StatefulSet, ordinal: i64) -> bool {
    (start(set)..start(set) + i64::from(set.spec.replicas.unwrap_or(1))).contains(&ordinal)
}

/// The pod of a number, made from a revision.
#[must_use]
pub fn build(set: &StatefulSet, version: &Version, ordinal: i64) -> Pod {
    let mut pod = from_template(&version.template, set);
    pod.metadata.generate_name = None;
    let name = format!("{}-{ordinal}", set.name());
    pod.metadata.name = Some(name.clone());
    identify(set, &mut pod, ordinal);
    pod.metadata.labels.get_or_insert_default().insert(HASH.into(), version.name.clone());
    let spec = pod.spec.get_or_insert_default();
    spec.hostname = Some(name);
    spec.subdomain.clone_from(&set.spec.service_name);
    pod
}

/// The pod with the labels and volumes of its number; nothing if it has them.
#[must_use]
pub fn repaired(set: &StatefulSet, pod: &Pod) -> Option<Pod> {
    let ordinal = ordinal(pod)?;
    if has_labels(pod) && has_volumes(set, pod, ordinal) {
        return None;
    }
    let mut pod = pod.clone();
    identify(set, &mut pod, ordinal);
    Some(pod)
}

/// The claims of a number, as they are made.
#[must_use]
pub fn claims(set: &StatefulSet, ordinal: i64) -> Vec<PersistentVolumeClaim> {
    let templates = set.spec.volume_claim_templates.iter().flatten();
    let claims = templates.map(|template| {
        let mut claim = template.clone();
        claim.metadata.name = Some(claim_name(set, template, ordinal));
        claim.metadata.namespace.clone_from(&set.metadata.namespace);
        let labels = set.spec.selector.match_labels.iter().flatten().map(|(k, v)| (k.clone(), v.clone()));
        claim.metadata.labels.get_or_insert_default().extend(labels);
        claim
    });
    claims.collect()
}

/// Whether a claim of this name is, or was, one of the set's.
#[must_use]
pub fn owns_claim(set: &StatefulSet, name: &str) -> bool {
    let mut templates = set.spec.volume_claim_templates.iter().flatten();
    templates.any(|t| {
        name.strip_prefix(t.name()).and_then(|n| n.strip_prefix('-')).and_then(|n| ordinal_in(set.name(), n)).is_some()
    })
}

fn claim_name(set: &StatefulSet, template: &PersistentVolumeClaim, ordinal: i64) -> String {
    format!("{}-{}-{ordinal}", template.name(), set.name())
}

fn number(digits: &str) -> Option<i64> {
    let plain = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    digits.parse::<i32>().ok().filter(|_| plain).map(i64::from)
}

fn identify(set: &StatefulSet, pod: &mut Pod, ordinal: i64) {
    let name = pod.name().to_owned();
    let labels = pod.metadata.labels.get_or_insert_default();
    labels.insert(POD_NAME.into(), name);
    labels.insert(POD_INDEX.into(), ordinal.to_string());
    let spec = pod.spec.get_or_insert_default();
    let templates: Vec<_> = set.spec.volume_claim_templates.iter().flatten().collect();
    let kept = spec.volumes.take().unwrap_or_default();
    let kept = kept.into_iter().filter(|v| !templates.iter().any(|t| t.name() == v.name));
    let volumes: Vec<Volume> = templates.iter().map(|t| volume(set, t, ordinal)).chain(kept).collect();
    spec.volumes = Some(volumes).filter(|v| !v.is_empty());
}

fn volume(set: &StatefulSet, template: &PersistentVolumeClaim, ordinal: i64) -> Volume {
    let claim = PersistentVolumeClaimVolumeSource { claim_name: claim_name(set, template, ordinal), read_only: None };
    Volume { name: template.name().into(), persistent_volume_claim: Some(claim), ..Volume::default() }
}

fn has_labels(pod: &Pod) -> bool {
    pod.metadata.labels.as_ref().and_then(|l| l.get(POD_NAME)).is_some_and(|name| name == pod.name())
}

fn has_volumes(set: &StatefulSet, pod: &Pod, ordinal: i64) -> bool {
    let volumes = |spec: &PodSpec| spec.volumes.clone().unwrap_or_default();
    let volumes = pod.spec.as_ref().map(volumes).unwrap_or_default();
    let claimed = |t: &PersistentVolumeClaim| {
        let source = volumes.iter().find(|v| v.name == t.name()).and_then(|v| v.persistent_volume_claim.as_ref());
        source.is_some_and(|s| s.claim_name == claim_name(set, t, ordinal))
    };
    set.spec.volume_claim_templates.iter().flatten().all(claimed)
}

#[cfg(test)]
mod tests {
    use super::super::plan::tests::{set, version};
    use super::*;
    use nakhoda_api::kinds::meta::ObjectMeta;

    #[test]
    fn a_number_is_read_from_a_name_of_the_set_only() {
        let table = [("web-0", Some(0)), ("web-12", Some(12)), ("web-", None), ("web-x", None), ("web2-1", None)];
        for (name, expected) in table {
            assert_eq!(ordinal_in("web", name), expected, "{name}");
        }
        assert_eq!(ordinal_in("web", "web-+1"), None);
        assert_eq!(ordinal_in("web", "web-99999999999"), None);
    }

    #[test]
    fn a_pod_is_named_labelled_and_given_its_claims_by_its_number() {
        let mut set = set(3);
        set.spec.service_name = Some("db".into());
        let metadata = ObjectMeta { name: Some("data".into()), ..ObjectMeta::default() };
        set.spec.volume_claim_templates = Some(vec![PersistentVolumeClaim { metadata, ..Default::default() }]);
        let pod = build(&set, &version("new"), 2);
        let labels = pod.metadata.labels.clone().expect("set");
        assert_eq!((labels[POD_NAME].as_str(), labels[POD_INDEX].as_str(), labels[HASH].as_str()), ("web-2", "2", "new"));
        let spec = pod.spec.clone().expect("set");
        assert_eq!((spec.hostname.as_deref(), spec.subdomain.as_deref()), (Some("web-2"), Some("db")));
        assert_eq!(claims(&set, 2)[0].name(), "data-web-2");
        assert!(owns_claim(&set, "data-web-2") && !owns_claim(&set, "logs-web-2") && !owns_claim(&set, "data-web-x"));
        assert_eq!(repaired(&set, &pod), None);
        let mut stray = pod.clone();
        stray.metadata.labels = None;
        stray.spec.as_mut().expect("set").volumes = None;
        let repaired = repaired(&set, &stray).expect("lacks both");
        assert_eq!(repaired.spec, pod.spec);
        assert_eq!(repaired.metadata.labels.expect("set")[POD_NAME], "web-2");
    }
}
