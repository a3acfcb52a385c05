//! Binds claims and volumes to each other, and lets volumes go when their claims have gone.
//!
//! A claim and a volume name each other; the volume's side is written first, so that no two claims get
//! the same volume. Making volumes and deleting their data is the provisioners' part.

use std::sync::Arc;
use std::time::Duration;

use nakhoda_api::kinds::core::{PersistentVolume, PersistentVolumeClaim, Pod};
use nakhoda_api::kinds::storage::StorageClass;
use nakhoda_client::{Informer, Key, Outcome, Queue, Reconcile, Resource, Result};

use crate::context::{Context, Watches};
use crate::seen::Seen;
use crate::{pods, volumes};

pub mod act;
pub mod claim;
pub mod volume;

use act::Actor;

const NAME: &str = "claims";
const VOLUMES: &str = "volumes";
const BY_CLAIM: &str = "claim";
/// How long a cache is given to show what was written.
const LAG: Duration = Duration::from_millis(50);

/// The caches that both sides read.
#[derive(Clone)]
pub struct Caches {
    /// Claims.
    pub claims: Informer<PersistentVolumeClaim>,
    /// Volumes.
    pub volumes: Informer<PersistentVolume>,
    /// Classes.
    pub classes: Informer<StorageClass>,
    /// Pods, by their claims.
    pub pods: Informer<Pod>,
}

/// Starts the controller.
pub fn start(cx: &Context) {
    let caches = Caches {
        claims: cx.informers.of(),
        volumes: cx.informers.of(),
        classes: cx.informers.of(),
        pods: cx.informers.of(),
    };
    caches.pods.add_index(BY_CLAIM, volumes::by_claim);
    let seen = Arc::new(Seen::default());
    let actor = Actor::new(cx, seen.clone());
    let mut watches = Watches::new(cx, NAME);
    watches.on(&caches.claims, |claim: &PersistentVolumeClaim| vec![Key::of(claim)]);
    let all = caches.claims.clone();
    watches.on(&caches.volumes, move |volume: &PersistentVolume| candidates(&all, volume));
    let all = caches.claims.clone();
    watches.on(&caches.classes, move |class: &StorageClass| {
        let mut keys = of_class(&all, class.name());
        keys.extend(of_class(&all, ""));
        keys
    });
    watches.reads(&caches.pods);
    let claims = watches.queue().clone();
    watches.run(1, Claims { caches: caches.clone(), actor: actor.clone(), seen: seen.clone() });
    let mut watches = Watches::new(cx, VOLUMES);
    watches.on(&caches.volumes, |volume: &PersistentVolume| vec![Key::of(volume)]);
    let all = caches.volumes.clone();
    watches.on(&caches.claims, move |claim: &PersistentVolumeClaim| volumes_of(&all, claim));
    watches.run(1, Volumes { caches, actor, seen, claims });
}

/// The side of the claims.
struct Claims {
    caches: Caches,
    actor: Actor,
    seen: Arc<Seen>,
}

/// The side of the volumes.
struct Volumes {
    caches: Caches,
    actor: Actor,
    seen: Arc<Seen>,
    claims: Queue<Key>,
}

// === impl Claims ===

impl Reconcile for Claims {
    fn name(&self) -> &'static str {
        NAME
    }

    /// One claim at a time: each must see what the one before has taken.
    async fn reconcile(&self, key: &Key) -> Result<Outcome> {
        let Some(claim) = self.caches.claims.get(key) else {
            self.seen.forget(key);
            return Ok(Outcome::Done);
        };
        let volumes = self.caches.volumes.list();
        if !self.seen.shows(&*claim) || !volumes.iter().all(|v| self.seen.shows(&**v)) {
            return Ok(Outcome::After(LAG));
        }
        if let Some(class) = claim::late_class(&claim, &self.caches.classes.list()) {
            self.actor.assign(&claim, class).await?;
            return Ok(Outcome::Done);
        }
        let class = self.caches.classes.get(&Key::new("", nakhoda_api::claims::class_of_claim(&claim)));
        let mut users = self.caches.pods.by_index(BY_CLAIM, &key.to_string());
        users.retain(|pod| !pods::is_finished(pod));
        let step = claim::plan(&claim, &volumes, class.as_deref(), &users);
        Box::pin(self.actor.claim(&claim, step)).await?;
        Ok(Outcome::Done)
    }
}

// === impl Volumes ===

impl Reconcile for Volumes {
    fn name(&self) -> &'static str {
        VOLUMES
    }

    async fn reconcile(&self, key: &Key) -> Result<Outcome> {
        let Some(volume) = self.caches.volumes.get(key) else {
            self.seen.forget(key);
            return Ok(Outcome::Done);
        };
        let claim = match volume::claim_key(&volume) {
            Some(key) => self.find(&key).await?,
            None => None,
        };
        let step = volume::plan(&volume, claim.as_deref());
        if step == volume::Step::Wake {
            volume::claim_key(&volume).into_iter().for_each(|key| self.claims.add(key));
        }
        self.actor.volume(&volume, step, crate::clock::now()).await?;
        Ok(Outcome::Done)
    }
}

impl Volumes {
    /// The claim, read live before it is taken for gone: the caches of claims and volumes do not move as
    /// one, and what follows may delete data.
    async fn find(&self, key: &Key) -> Result<Option<Arc<PersistentVolumeClaim>>> {
        if let Some(claim) = self.caches.claims.get(key) {
            return Ok(Some(claim));
        }
        self.actor.look_for(key).await
    }
}

/// The claim that a volume names, and those that wait for one of its class.
fn candidates(claims: &Informer<PersistentVolumeClaim>, volume: &PersistentVolume) -> Vec<Key> {
    let named = volume::claim_key(volume);
    if named.as_ref().is_some_and(|key| claims.get(key).is_some()) {
        return named.into_iter().collect();
    }
    let mut keys = of_class(claims, nakhoda_api::claims::class_of_volume(volume));
    let asking = claims.list().into_iter().filter(|c| claim::volume_name(c) == Some(volume.name()));
    keys.extend(asking.map(|c| Key::of(&*c)));
    keys
}

/// The claims of a class that have no volume yet.
fn of_class(claims: &Informer<PersistentVolumeClaim>, class: &str) -> Vec<Key> {
    let mut waiting = claims.list();
    waiting.retain(|c| claim::volume_name(c).is_none() && nakhoda_api::claims::class_of_claim(c) == class);
    waiting.iter().map(|c| Key::of(&**c)).collect()
}

/// The volume that a claim names, and those that name the claim.
fn volumes_of(all: &Informer<PersistentVolume>, claim: &PersistentVolumeClaim) -> Vec<Key> {
    let key = Key::of(claim);
    let mut volumes = all.list();
    volumes.retain(|v| volume::claim_key(v).as_ref() == Some(&key) || claim::volume_name(claim) == Some(v.name()));
    volumes.iter().map(|v| Key::of(&**v)).collect()
}
