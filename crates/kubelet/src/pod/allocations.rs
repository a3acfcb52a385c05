//! What the node's pods were given, for all of them: a pod is taken, and a size is changed, only while the rest
//! is known.

use std::collections::HashMap;
use std::sync::Arc;

use k8s_openapi::api::core::v1::{Node, Pod};
use parking_lot::Mutex;

use super::admission::{self, Amounts, Claim};
use super::spec;
use super::state::Failure;
use super::worker::Waker;

/// What was given, by uid. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Allocations {
    inner: Arc<Mutex<Inner>>,
}

#[derive(Debug, Default)]
struct Inner {
    claims: HashMap<String, Claim>,
    waiting: HashMap<String, Waker>,
}

// === impl Allocations ===

impl Allocations {
    /// A pod that was taken before.
    pub fn hold(&self, pod: &Pod) {
        self.inner.lock().claims.insert(spec::uid(pod).into(), Claim::of(spec::of(pod)));
    }

    /// Takes a pod or says why not.
    pub fn admit(&self, pod: &Pod, node: Option<&Node>, room: &Amounts) -> Result<(), Failure> {
        let mut inner = self.inner.lock();
        let uid = spec::uid(pod);
        let claim = admission::check(pod, node, room, &inner.others(uid))?;
        inner.claims.insert(uid.into(), claim);
        Ok(())
    }

    /// Gives a pod another size, or says why not and wakes it when something has been given back.
    pub fn resize(&self, pod: &Pod, room: &Amounts, waker: &Waker) -> Result<(), Failure> {
        let mut inner = self.inner.lock();
        let (uid, claim) = (spec::uid(pod), Claim::of(spec::of(pod)));
        if let Err(failure) = admission::fits(&claim.amounts, room, &inner.others(uid), false) {
            inner.waiting.insert(uid.into(), waker.clone());
            return Err(failure);
        }
        inner.claims.insert(uid.into(), claim);
        inner.wake_all();
        Ok(())
    }

    /// Takes back what a pod had.
    pub fn release(&self, uid: &str) {
        let mut inner = self.inner.lock();
        inner.waiting.remove(uid);
        if inner.claims.remove(uid).is_some() {
            inner.wake_all();
        }
    }
}

// === impl Inner ===

impl Inner {
    fn others(&self, uid: &str) -> Vec<&Claim> {
        self.claims.iter().filter(|(other, _)| *other != uid).map(|(_, claim)| claim).collect()
    }

    fn wake_all(&mut self) {
        self.waiting.drain().for_each(|(_, waker)| waker.look());
    }
}
