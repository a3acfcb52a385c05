//! A pod's claims must be bound to volumes that its node reaches. Claims of a class that waits for the
//! first consumer choose a volume, or have one made, once the node is decided on.
//!
//! Absent: CSIStorageCapacity, and volumes in the pod itself of drivers that upstream has moved to CSI.

use std::collections::BTreeMap;
use std::time::Duration;

use nakhoda_api::claims::{self, NO_PROVISIONER, SELECTED_NODE};
use nakhoda_api::field::{Errors, Path};
use nakhoda_api::kinds::core::{PersistentVolume, PersistentVolumeClaim};
use nakhoda_api::kinds::storage::StorageClass;
use nakhoda_client::Resource;
use serde::Deserialize;
use serde_json::Value;

use crate::cluster::volumes::Volumes;
use crate::framework::{Changes, Check, Cycle, Filter, Plugin, Reason, Reserve, Step, Verdict, args};
use crate::node::Node;
use crate::pod::ClaimRef;

const NO_MATCH: &str = "node(s) didn't find available persistent volumes to bind";
const OUT_OF_REACH: &str = "node(s) didn't match PersistentVolume's node affinity";
const GONE: &str = "node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)";
const UNBOUND: &str = "pod has unbound immediate PersistentVolumeClaims";
const BIND_COMPLETED: &str = "pv.kubernetes.io/bind-completed";

#[derive(Clone, Copy)]
struct VolumeBinding {
    /// How long volumes may take.
    patience: Duration,
}

/// `VolumeBindingArgs`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Args {
    bind_timeout_seconds: Option<i64>,
    shape: Option<Value>,
}

/// Upstream's `bindTimeoutSeconds`.
const PATIENCE: i64 = 600;

/// A pod's claims, by what has to be done for them.
#[derive(Default)]
struct Claims<'a> {
    /// The volumes of bound ones; none if the volume is not there.
    bound: Vec<Option<&'a PersistentVolume>>,
    /// Those that wait for the node.
    waiting: Vec<&'a PersistentVolumeClaim>,
}

/// The plugin.
#[must_use]
pub fn plugin() -> Plugin {
    with(PATIENCE)
}

fn with(seconds: i64) -> Plugin {
    let binding = VolumeBinding { patience: Duration::from_secs(seconds.unsigned_abs()) };
    let helped_by = Changes::NODE_ADDED.or(Changes::NODE_LABELS).or(Changes::VOLUMES);
    Plugin::named("VolumeBinding").filter(binding, helped_by).reserve(binding).looking_around().configured_by(configure)
}

fn configure(given: &Value, path: &Path, errors: &mut Errors) -> Plugin {
    let args: Args = args::read(given, path, errors);
    let seconds = args.bind_timeout_seconds.unwrap_or(PATIENCE);
    if seconds < 0 {
        let why = "invalid BindTimeoutSeconds, should not be a negative value";
        errors.invalid(&path.child("bindTimeoutSeconds"), seconds, why);
    }
    if let Some(shape) = args.shape {
        let why = "unexpected field `shape`, remove it or turn on the feature gate StorageCapacityScoring";
        errors.invalid(&path.child("shape"), shape, why);
    }
    with(seconds)
}

impl Filter for VolumeBinding {
    fn prepare<'a>(&'a self, cycle: Cycle<'a>) -> Check<'a> {
        if cycle.pod.claims.is_empty() {
            return Check::Skip;
        }
        match Claims::of(cycle) {
            Err(reason) => Check::Hopeless(reason),
            Ok(claims) => Check::Each(Box::new(move |node| check(&claims, cycle.cluster.volumes(), node))),
        }
    }
}

impl Reserve for VolumeBinding {
    fn steps(&self, cycle: Cycle<'_>, node: &Node) -> Vec<Step> {
        let Ok(claims) = Claims::of(cycle) else { return Vec::new() };
        choose(&claims.waiting, cycle.cluster.volumes(), node).unwrap_or_default()
    }

    fn patience(&self) -> Duration {
        self.patience
    }
}

// === impl Claims ===

impl<'a> Claims<'a> {
    /// Fails if the pod can be nowhere.
    fn of(cycle: Cycle<'a>) -> Result<Self, Reason> {
        let volumes = cycle.cluster.volumes();
        let mut claims = Self::default();
        for reference in &cycle.pod.claims {
            let claim = usable(volumes, reference, &cycle.pod.uid)?;
            let volume = claim.spec.as_ref().and_then(|s| s.volume_name.as_deref()).unwrap_or_default();
            let completed = claim.metadata.annotations.as_ref().is_some_and(|a| a.contains_key(BIND_COMPLETED));
            if !volume.is_empty() && completed {
                claims.bound.push(volumes.volume(volume));
            } else if volume.is_empty() && volumes.class_of(claim).is_some_and(claims::waits_for_consumer) {
                claims.waiting.push(claim);
            } else {
                return Err(UNBOUND.into());
            }
        }
        Ok(claims)
    }
}

fn usable<'a>(volumes: &'a Volumes, reference: &ClaimRef, pod: &str) -> Result<&'a PersistentVolumeClaim, Reason> {
    let name = &reference.key.name;
    let Some(claim) = volumes.claim(&reference.key) else {
        return Err(if reference.ephemeral {
            format!("waiting for ephemeral volume controller to create the persistentvolumeclaim \"{name}\"").into()
        } else {
            format!("persistentvolumeclaim \"{name}\" not found").into()
        });
    };
    if claim.status.as_ref().and_then(|s| s.phase.as_deref()) == Some("Lost") {
        let volume = claim.spec.as_ref().and_then(|s| s.volume_name.as_deref()).unwrap_or_default();
        return Err(
            format!("persistentvolumeclaim \"{name}\" bound to non-existent persistentvolume \"{volume}\"").into()
        );
    }
    if claim.is_terminating() {
        return Err(format!("persistentvolumeclaim \"{name}\" is being deleted").into());
    }
    if reference.ephemeral && claim.controller().is_none_or(|owner| owner.uid != pod) {
        let (namespace, owner) = (&reference.key.namespace, &reference.owner);
        return Err(
            format!("PVC {namespace}/{name} was not created for pod {namespace}/{owner} (pod is not owner)").into()
        );
    }
    Ok(claim)
}

/// Upstream holds every refusal for final: no leaving pod frees a volume.
fn check(claims: &Claims<'_>, volumes: &Volumes, node: &Node) -> Verdict {
    for volume in &claims.bound {
        match volume {
            None => return Verdict::hopeless(GONE),
            Some(volume) if !claims::reaches(volume, &node.labels, &node.name) => {
                return Verdict::hopeless(OUT_OF_REACH);
            }
            Some(_) => {}
        }
    }
    if choose(&claims.waiting, volumes, node).is_none() { Verdict::hopeless(NO_MATCH) } else { Verdict::Pass }
}

/// What each claim would get at a node; `None` if one would get nothing. The smallest claims choose first,
/// so that they do not take what only they could do without.
fn choose(waiting: &[&PersistentVolumeClaim], volumes: &Volumes, node: &Node) -> Option<Vec<Step>> {
    let mut waiting = waiting.to_vec();
    waiting.sort_by_key(|claim| claims::requested(claim));
    let mut steps = Vec::new();
    let mut taken: Vec<&str> = Vec::new();
    for claim in waiting {
        let key = nakhoda_client::Key::of(claim);
        let selected = claim.metadata.annotations.as_ref().and_then(|a| a.get(SELECTED_NODE));
        if let Some(selected) = selected {
            // A volume is being made for it; elsewhere it is of no use.
            if *selected != node.name {
                return None;
            }
            steps.push(Step::Provision { claim: key });
            continue;
        }
        match volumes.matching(claim, node, &taken) {
            Some(volume) => {
                taken.push(volume.name());
                steps.push(Step::Bind { volume: volume.name().into(), claim: key });
            }
            None if volumes.class_of(claim).is_some_and(|class| provides(class, &node.labels)) => {
                steps.push(Step::Provision { claim: key });
            }
            None => return None,
        }
    }
    Some(steps)
}

/// Whether a class makes volumes for nodes with these labels.
fn provides(class: &StorageClass, labels: &BTreeMap<String, String>) -> bool {
    let topologies = class.allowed_topologies.as_deref().unwrap_or_default();
    let fits = |term: &nakhoda_api::kinds::core::TopologySelectorTerm| {
        term.match_label_expressions.iter().flatten().all(|e| labels.get(&e.key).is_some_and(|v| e.values.contains(v)))
    };
    !class.provisioner.is_empty()
        && class.provisioner != NO_PROVISIONER
        && (topologies.is_empty() || topologies.iter().any(fits))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::cluster::Cluster;
    use crate::fixtures::{bound_claim, claim, cluster, info, node, pod, verdicts_in, volume, waiting_class};

    fn hosts() -> Cluster {
        cluster([node("a").label("host", "a"), node("b").label("host", "b")])
    }

    fn verdicts(cluster: &mut Cluster) -> Vec<Verdict> {
        verdicts_in(plugin(), pod("p").claim("data"), cluster)
    }

    #[test]
    fn a_bound_claim_holds_the_pod_where_its_volume_is() {
        let mut nodes = hosts();
        nodes.volumes_mut().set_claim(Arc::new(bound_claim("data", "v")));
        assert_eq!(verdicts(&mut nodes), [Verdict::hopeless(GONE), Verdict::hopeless(GONE)]);
        nodes.volumes_mut().set_volume(Arc::new(volume("v", "c", Some("b"))));
        assert_eq!(verdicts(&mut nodes), [Verdict::hopeless(OUT_OF_REACH), Verdict::Pass]);
    }

    #[test]
    fn a_claim_that_is_not_there_or_does_not_wait_holds_the_pod_back() {
        let mut nodes = hosts();
        let missing = Verdict::hopeless("persistentvolumeclaim \"data\" not found");
        assert_eq!(verdicts(&mut nodes)[0], missing);
        nodes.volumes_mut().set_claim(Arc::new(claim("data", "c")));
        assert_eq!(verdicts(&mut nodes)[0], Verdict::hopeless(UNBOUND));
    }

    #[test]
    fn a_volume_is_promised_once() {
        let mut nodes = hosts();
        nodes.volumes_mut().set_class(Arc::new(waiting_class("c")));
        nodes.volumes_mut().set_volume(Arc::new(volume("v", "c", Some("b"))));
        nodes.volumes_mut().set_claim(Arc::new(claim("data", "c")));
        nodes.volumes_mut().set_claim(Arc::new(claim("other", "c")));
        assert_eq!(verdicts(&mut nodes), [Verdict::hopeless(NO_MATCH), Verdict::Pass]);
        let pod = info(pod("q").claim("other"));
        let binding = VolumeBinding { patience: Duration::ZERO };
        let steps = binding.steps(Cycle { pod: &pod, cluster: &nodes }, nodes.node("b").expect("known"));
        assert!(matches!(&steps[..], [Step::Bind { volume, .. }] if volume == "v"));
        nodes.volumes_mut().assume(&steps);
        assert_eq!(verdicts(&mut nodes)[1], Verdict::hopeless(NO_MATCH));
        nodes.volumes_mut().forget(&steps);
        assert_eq!(verdicts(&mut nodes)[1], Verdict::Pass);
    }

    #[test]
    fn where_no_volume_suits_one_is_made_if_the_class_can() {
        let mut nodes = hosts();
        let mut class = waiting_class("c");
        class.provisioner = "example.com/disks".into();
        nodes.volumes_mut().set_class(Arc::new(class));
        nodes.volumes_mut().set_claim(Arc::new(claim("data", "c")));
        assert_eq!(verdicts(&mut nodes), [Verdict::Pass, Verdict::Pass]);
        let mut chosen = claim("data", "c");
        chosen.metadata.annotations.get_or_insert_default().insert(SELECTED_NODE.into(), "a".into());
        nodes.volumes_mut().set_claim(Arc::new(chosen));
        assert_eq!(verdicts(&mut nodes), [Verdict::Pass, Verdict::hopeless(NO_MATCH)]);
    }
}
