//! [`Rollout`]: a deployment with its replica sets, sorted into the new one and the old ones.

use std::sync::Arc;

use nakhoda_api::kinds::apps::{Deployment, ReplicaSet};

use crate::revision::same_template;
use crate::share::scaled;

/// The annotation with how many replicas the deployment wanted when it last sized a set.
pub const DESIRED: &str = "deployment.kubernetes.io/desired-replicas";
/// The annotation with how many pods the deployment could have had then.
pub const MAX: &str = "deployment.kubernetes.io/max-replicas";

/// A deployment and its replica sets.
#[derive(Clone, Debug)]
pub struct Rollout {
    /// The deployment; conditions noted on the way are in its status.
    pub deployment: Deployment,
    /// The set of its template.
    pub new: Option<Arc<ReplicaSet>>,
    /// All other sets, oldest first.
    pub old: Vec<Arc<ReplicaSet>>,
}

/// A set and the size it shall have.
#[derive(Clone, Debug, PartialEq)]
pub struct Resize {
    /// Which set.
    pub set: Arc<ReplicaSet>,
    /// Its new size.
    pub to: i32,
}

// === impl Rollout ===

impl Rollout {
    /// Sorts the sets of a deployment. Of several with its template the oldest is the new one.
    #[must_use]
    pub fn new(deployment: Deployment, mut sets: Vec<Arc<ReplicaSet>>) -> Self {
        sets.sort_by(|a, b| age(a).cmp(&age(b)));
        let template = &deployment.spec.template;
        let position = sets.iter().position(|s| s.spec.template.as_ref().is_some_and(|t| same_template(t, template)));
        let new = position.map(|p| sets.remove(p));
        Self { deployment, new, old: sets }
    }

    /// All sets.
    pub fn all(&self) -> impl Iterator<Item = &Arc<ReplicaSet>> {
        self.old.iter().chain(&self.new)
    }

    /// How many pods are wanted.
    #[must_use]
    pub fn desired(&self) -> i32 {
        desired(&self.deployment)
    }

    /// Whether the way to the next template is on hold.
    #[must_use]
    pub fn is_paused(&self) -> bool {
        self.deployment.spec.paused == Some(true)
    }

    /// Whether progress is not to be judged in this pass.
    #[must_use]
    pub fn is_resting(&self) -> bool {
        self.is_paused() || self.was_rescaled() || self.deployment.metadata.deletion_timestamp.is_some()
    }

    /// Whether all old pods go before new ones come.
    #[must_use]
    pub fn is_recreate(&self) -> bool {
        self.deployment.spec.strategy.as_ref().and_then(|s| s.type_.as_deref()) == Some("Recreate")
    }

    /// Whether the deployment wants another number of pods than when its sets were sized.
    #[must_use]
    pub fn was_rescaled(&self) -> bool {
        self.all().filter(|s| size(s) > 0).filter_map(|s| annotation(s, DESIRED)).any(|d| d != self.desired())
    }

    /// How many pods may be there on top, and how many may lack.
    #[must_use]
    pub fn fence_posts(&self) -> (i32, i32) {
        fence_posts(&self.deployment)
    }

    /// How many pods may be there at most.
    #[must_use]
    pub fn max_replicas(&self) -> i32 {
        self.desired().saturating_add(max_surge(&self.deployment))
    }

    /// Every old set that is not empty, to nothing.
    #[must_use]
    pub fn all_old_to_zero(&self) -> Vec<Resize> {
        self.old.iter().filter(|s| size(s) > 0).map(|s| Resize { set: s.clone(), to: 0 }).collect()
    }

    /// The new set, to what is wanted.
    #[must_use]
    pub fn new_to_full(&self) -> Vec<Resize> {
        let smaller = self.new.iter().filter(|s| size(s) != self.desired());
        smaller.map(|s| Resize { set: s.clone(), to: self.desired() }).collect()
    }
}

/// How many pods a deployment wants.
#[must_use]
pub fn desired(deployment: &Deployment) -> i32 {
    deployment.spec.replicas.unwrap_or(1)
}

/// How many pods a set wants.
#[must_use]
pub fn size(set: &ReplicaSet) -> i32 {
    set.spec.replicas.unwrap_or(1)
}

/// How many pods of a set are available.
#[must_use]
pub fn available(set: &ReplicaSet) -> i32 {
    set.status.as_ref().and_then(|s| s.available_replicas).unwrap_or_default()
}

/// The number in an annotation of a set.
#[must_use]
pub fn annotation(set: &ReplicaSet, name: &str) -> Option<i32> {
    set.metadata.annotations.as_ref()?.get(name)?.parse().ok()
}

/// How many pods may be there on top; none unless the deployment rolls.
#[must_use]
pub fn max_surge(deployment: &Deployment) -> i32 {
    let recreate = deployment.spec.strategy.as_ref().and_then(|s| s.type_.as_deref()) == Some("Recreate");
    if recreate { 0 } else { fence_posts(deployment).0 }
}

/// How many pods may lack; none unless the deployment rolls.
#[must_use]
pub fn max_unavailable(deployment: &Deployment) -> i32 {
    let recreate = deployment.spec.strategy.as_ref().and_then(|s| s.type_.as_deref()) == Some("Recreate");
    if recreate { 0 } else { fence_posts(deployment).1.min(desired(deployment)) }
}

/// Both may not be none, or nothing could move.
fn fence_posts(deployment: &Deployment) -> (i32, i32) {
    let rolling = deployment.spec.strategy.as_ref().and_then(|s| s.rolling_update.as_ref());
    let total = desired(deployment);
    let surge = scaled(rolling.and_then(|r| r.max_surge.as_ref()), total, true);
    let unavailable = scaled(rolling.and_then(|r| r.max_unavailable.as_ref()), total, false);
    if surge == 0 && unavailable == 0 { (0, 1) } else { (surge, unavailable) }
}

fn age(set: &ReplicaSet) -> (Option<jiff::Timestamp>, &str) {
    let created = set.metadata.creation_timestamp.as_ref().map(|t| t.0);
    (created, set.metadata.name.as_deref().unwrap_or_default())
}

#[cfg(test)]
pub(crate) mod fixtures {
    use super::*;
    use nakhoda_api::kinds::IntOrString;
    use nakhoda_api::kinds::apps::{DeploymentStrategy, ReplicaSetStatus, RollingUpdateDeployment};
    use nakhoda_api::kinds::core::PodTemplateSpec;
    use nakhoda_api::kinds::meta::{ObjectMeta, Time};

    /// A template told apart by one label.
    pub(crate) fn template(version: &str) -> PodTemplateSpec {
        let labels = Some([("version".to_owned(), version.to_owned())].into());
        PodTemplateSpec { metadata: Some(ObjectMeta { labels, ..ObjectMeta::default() }), spec: None }
    }

    /// A deployment that rolls to template "new".
    pub(crate) fn deployment(replicas: i32, surge: &str, unavailable: &str) -> Deployment {
        let post = |text: &str| {
            Some(text.parse().map_or_else(|_| IntOrString::String(text.into()), IntOrString::Int))
        };
        let mut deployment = Deployment::default();
        deployment.metadata.name = Some("web".into());
        deployment.spec.replicas = Some(replicas);
        deployment.spec.template = template("new");
        deployment.spec.progress_deadline_seconds = Some(600);
        deployment.spec.strategy = Some(DeploymentStrategy {
            type_: Some("RollingUpdate".into()),
            rolling_update: Some(RollingUpdateDeployment { max_surge: post(surge), max_unavailable: post(unavailable) }),
        });
        deployment
    }

    /// A set of a template, made at a second, with so many pods and so many of them available.
    pub(crate) fn set(version: &str, made: i64, replicas: i32, available: i32) -> Arc<ReplicaSet> {
        let mut set = ReplicaSet::default();
        set.metadata.name = Some(format!("web-{version}"));
        set.metadata.creation_timestamp = Some(Time(jiff::Timestamp::from_second(made).expect("in range")));
        set.spec.replicas = Some(replicas);
        set.spec.template = Some(template(version));
        set.status = Some(ReplicaSetStatus {
            replicas,
            ready_replicas: Some(available),
            available_replicas: Some(available),
            terminating_replicas: Some(0),
            ..ReplicaSetStatus::default()
        });
        Arc::new(set)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentages_round_up_for_surge_and_down_for_unavailable() {
        let rollout = |replicas, surge, unavailable| {
            Rollout::new(fixtures::deployment(replicas, surge, unavailable), Vec::new()).fence_posts()
        };
        assert_eq!(rollout(10, "25%", "25%"), (3, 2));
        assert_eq!(rollout(1, "0", "1%"), (0, 1), "both none: one may lack");
        assert_eq!(rollout(4, "1", "0"), (1, 0));
    }

    #[test]
    fn the_oldest_set_of_the_template_is_the_new_one() {
        let sets = vec![fixtures::set("old", 3, 1, 1), fixtures::set("new", 2, 1, 1), fixtures::set("new", 1, 1, 1)];
        let rollout = Rollout::new(fixtures::deployment(1, "1", "0"), sets.clone());
        assert_eq!(rollout.new, Some(sets[2].clone()));
        assert_eq!(rollout.old, [sets[1].clone(), sets[0].clone()]);
    }
}
