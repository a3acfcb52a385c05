//! StatefulSet: pods with names and storage of their own, one after the other.

use nakhoda_api::Scope;
use nakhoda_api::field::{Errors, Path};
use nakhoda_api::kinds::apps::{
    RollingUpdateStatefulSetStrategy, StatefulSet, StatefulSetSpec, StatefulSetStatus, StatefulSetUpdateStrategy,
};

use crate::kind::{Columns, Cx, FieldPath, Info, Kind, SCALE, STATUS};
use crate::rules::check::{keep_status, list, nonnegative, same};
use crate::rules::defaults::{self, fill};
use crate::rules::volume::claim;
use crate::rules::{pod, print, workload};

mod validation;

/// The kind.
pub struct StatefulSets;

const MAY_CHANGE: &str = "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden";
const NEGATIVE_HISTORY: &str = "spec.revisionHistoryLimit: a negative value retains all historical revisions; a value >= 0 is recommended";

impl Kind for StatefulSets {
    type Object = StatefulSet;

    const OPTIONAL: &'static [FieldPath] = &[workload::SELECTOR];

    fn info() -> Info {
        Info {
            short: &["sts"],
            categories: &["all"],
            subresources: &[SCALE, STATUS],
            generation: true,
            names: crate::kind::NameRule::Label,
            ..Info::of::<StatefulSet>("statefulsets", "statefulset", Scope::Namespaced)
        }
    }

    fn default(set: &mut StatefulSet) {
        let spec = &mut set.spec;
        fill(&mut spec.pod_management_policy, "OrderedReady");
        strategy(spec.update_strategy.get_or_insert_default());
        let retention = spec.persistent_volume_claim_retention_policy.get_or_insert_default();
        fill(&mut retention.when_deleted, "Retain");
        fill(&mut retention.when_scaled, "Retain");
        spec.replicas.get_or_insert(1);
        spec.revision_history_limit.get_or_insert(10);
        defaults::template(&mut spec.template);
        for template in spec.volume_claim_templates.iter_mut().flatten() {
            claim::default(template.spec.get_or_insert_default());
            fill(&mut template.status.get_or_insert_default().phase, "Pending");
        }
    }

    fn prepare(cx: &Cx, new: &mut StatefulSet, old: Option<&StatefulSet>) {
        keep_status(cx, &mut new.status, old.map(|o| &o.status));
        let rolling = |set: &StatefulSet| set.spec.update_strategy.as_ref().and_then(|s| s.rolling_update.clone());
        // more than one at a time is a feature that upstream has switched off
        if old.and_then(rolling).is_none_or(|r| r.max_unavailable.is_none())
            && let Some(rolling) = new.spec.update_strategy.as_mut().and_then(|s| s.rolling_update.as_mut())
        {
            rolling.max_unavailable = None;
        }
    }

    fn validate(cx: &Cx, new: &StatefulSet, old: Option<&StatefulSet>, errors: &mut Errors) {
        if cx.subresource == "status" {
            return status(errors, new.status.as_ref(), old.and_then(|o| o.status.as_ref()));
        }
        let missing = cx.lacks(workload::SELECTOR);
        validation::spec(errors, &Path::new("spec"), (&new.spec, missing), old.map(|o| &o.spec));
        if let Some(old) = old
            && !same(&fixed(&new.spec), &fixed(&old.spec))
        {
            errors.forbidden(&Path::new("spec"), MAY_CHANGE);
        }
    }

    fn warnings(new: &StatefulSet, old: Option<&StatefulSet>) -> Vec<String> {
        let unchanged = old.is_some_and(|old| new.metadata.generation == old.metadata.generation);
        let template = Some(&new.spec.template).filter(|_| !unchanged);
        let mut warnings = pod::warnings::workload(None, template);
        for (i, template) in list(&new.spec.volume_claim_templates).iter().enumerate() {
            let at = Path::new("spec.volumeClaimTemplates").index(i);
            let at = if old.is_some() { at.child("Spec") } else { at };
            warnings.extend(template.spec.iter().flat_map(|spec| claim::warnings(&at, spec)));
        }
        if new.spec.revision_history_limit.is_some_and(|n| n < 0) {
            warnings.push(NEGATIVE_HISTORY.into());
        }
        warnings
    }

    fn columns() -> Columns<StatefulSet> {
        Columns::<StatefulSet>::named()
            .text("Ready", |s, _| {
                let ready = s.status.as_ref().and_then(|s| s.ready_replicas).unwrap_or(0);
                format!("{ready}/{}", s.spec.replicas.unwrap_or(0)).into()
            })
            .age()
            .wide("Containers", |s, _| print::names(print::containers(&s.spec.template)).into())
            .wide("Images", |s, _| print::images(print::containers(&s.spec.template)).into())
    }
}

fn strategy(strategy: &mut StatefulSetUpdateStrategy) {
    if strategy.type_.as_deref().unwrap_or_default().is_empty() {
        strategy.type_ = Some("RollingUpdate".into());
        strategy.rolling_update.get_or_insert_default();
    }
    if strategy.type_.as_deref() == Some("RollingUpdate")
        && let Some(RollingUpdateStatefulSetStrategy { partition, .. }) = &mut strategy.rolling_update
    {
        partition.get_or_insert(0);
    }
}

/// The part of a spec that stays as it is.
fn fixed(spec: &StatefulSetSpec) -> StatefulSetSpec {
    StatefulSetSpec {
        pod_management_policy: spec.pod_management_policy.clone(),
        selector: spec.selector.clone(),
        service_name: spec.service_name.clone(),
        volume_claim_templates: spec.volume_claim_templates.clone(),
        ..StatefulSetSpec::default()
    }
}

fn status(errors: &mut Errors, new: Option<&StatefulSetStatus>, old: Option<&StatefulSetStatus>) {
    let Some(status) = new else { return };
    let counts = [
        ("replicas", Some(status.replicas), false),
        ("readyReplicas", status.ready_replicas, true),
        ("currentReplicas", status.current_replicas, true),
        ("updatedReplicas", status.updated_replicas, true),
        ("availableReplicas", status.available_replicas, true),
        ("collisionCount", status.collision_count, false),
    ];
    workload::parts(errors, status.replicas, &counts);
    nonnegative(errors, &Path::new("status.observedGeneration"), status.observed_generation);
    workload::available(errors, &counts, "cannot be greater than status.readyReplicas");
    let before = old.and_then(|o| o.collision_count);
    workload::not_decremented(errors, "collisionCount", status.collision_count, before);
}

#[cfg(test)]
mod tests;
