//! Revisions of a template: numbers in annotations, and whether two templates are the same.

use std::collections::BTreeMap;

use nakhoda_api::kinds::core::PodTemplateSpec;

/// The label that tells the pods of one template from those of another.
pub const TEMPLATE_HASH: &str = "pod-template-hash";
/// The annotation with the revision.
pub const REVISION: &str = "deployment.kubernetes.io/revision";
/// The annotation with the revisions that a set had before.
pub const HISTORY: &str = "deployment.kubernetes.io/revision-history";
/// The most characters of history that are kept.
const HISTORY_LENGTH: usize = 2_000;

/// Annotations of an object.
pub type Annotations = BTreeMap<String, String>;

/// The revision; 0 if there is none that can be read.
#[must_use]
pub fn of(annotations: Option<&Annotations>) -> i64 {
    annotations.and_then(|a| a.get(REVISION)).and_then(|r| r.parse().ok()).unwrap_or_default()
}

/// Raises the revision to `next`; the one before goes to the history. Whether anything changed.
pub fn raise(annotations: &mut Annotations, next: i64) -> bool {
    let before = annotations.get(REVISION).cloned();
    let number = before.as_deref().and_then(|r| r.parse().ok()).unwrap_or(0);
    if number >= next {
        return false;
    }
    annotations.insert(REVISION.into(), next.to_string());
    if let Some(before) = before {
        let history = remember(annotations.get(HISTORY).map_or("", String::as_str), &before);
        annotations.insert(HISTORY.into(), history);
    }
    true
}

/// Whether two templates make the same pods; the hash label aside.
#[must_use]
pub fn same_template(a: &PodTemplateSpec, b: &PodTemplateSpec) -> bool {
    a.spec == b.spec && strip(a) == strip(b)
}

fn remember(history: &str, revision: &str) -> String {
    let mut kept: Vec<&str> = history.split(',').filter(|r| !r.is_empty()).collect();
    kept.push(revision);
    while kept.iter().map(|r| r.len() + 1).sum::<usize>() > HISTORY_LENGTH {
        kept.remove(0);
    }
    kept.join(",")
}

/// The metadata that counts: no hash, and empty maps are none.
fn strip(template: &PodTemplateSpec) -> nakhoda_api::kinds::meta::ObjectMeta {
    let mut meta = template.metadata.clone().unwrap_or_default();
    if let Some(labels) = &mut meta.labels {
        labels.remove(TEMPLATE_HASH);
    }
    meta.labels = meta.labels.filter(|l| !l.is_empty());
    meta.annotations = meta.annotations.filter(|a| !a.is_empty());
    meta
}

#[cfg(test)]
mod tests {
    use super::*;
    use nakhoda_api::kinds::meta::ObjectMeta;

    #[test]
    fn a_rollback_raises_the_revision_and_keeps_the_old_one_in_history() {
        let mut annotations = Annotations::from([(REVISION.to_owned(), "1".to_owned())]);
        assert!(raise(&mut annotations, 3) && raise(&mut annotations, 5) && !raise(&mut annotations, 5));
        assert_eq!(of(Some(&annotations)), 5);
        assert_eq!(annotations[HISTORY], "1,3");
    }

    #[test]
    fn the_hash_label_makes_no_other_template() {
        let with = |pairs: &[(&str, &str)]| PodTemplateSpec {
            metadata: Some(ObjectMeta {
                labels: Some(pairs.iter().map(|&(k, v)| (k.to_owned(), v.to_owned())).collect()),
                ..ObjectMeta::default()
            }),
            spec: None,
        };
        assert!(same_template(&with(&[("a", "b")]), &with(&[("a", "b"), (TEMPLATE_HASH, "x")])));
        assert!(!same_template(&with(&[("a", "b")]), &with(&[("a", "c")])));
        assert!(same_template(&with(&[]), &PodTemplateSpec::default()));
    }
}
