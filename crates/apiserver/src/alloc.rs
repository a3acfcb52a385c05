//! What Services are given: cluster addresses and node ports, each to one Service at a time.
//!
//! Each address and each port is a key of its own in the store, written and removed **in the transaction
//! that writes the Service**, under the condition that it did not exist. So two API servers cannot give
//! the same one twice, and nothing leaks when one dies half-way. Addresses are IPAddress objects, out of the
//! ranges of all ServiceCIDRs that are ready: first of the one that the flag names, then of the others.
//!
//! Absent: IPv6 and dual stack; ServiceCIDRs smaller than a /30 give nothing.

use nakhoda_api::{Object, Status};
use nakhoda_store::Options;
use nakhoda_store::store::{Compare, Op};

use crate::quota::Charges;
use crate::verb::Call;

mod claim;
mod range;
pub mod repair;
mod service;
mod space;

pub use claim::Claim;
pub use range::{AddressRange, PortRange, RangeError};
pub use space::{DEFAULT, Space};

/// The ranges that are given out.
#[derive(Clone, Debug)]
pub struct Allocators {
    /// Cluster addresses.
    pub addresses: AddressRange,
    /// Node ports.
    pub ports: PortRange,
}

/// What one write of an object takes and gives back.
#[derive(Debug, Default)]
pub struct Claims {
    taken: Vec<Claim>,
    released: Vec<Claim>,
    tries: usize,
    charges: Option<Charges>,
}

/// So many guesses by what the cache knows before the store is asked.
const PICKS: usize = 8;
/// So many picks in all.
const ATTEMPTS: usize = 32;

// === impl Allocators ===

impl Allocators {
    fn space(&self, call: &Call) -> Space {
        Space::of(self, call.pipeline.storage())
    }

    /// Fills in what a new object is given.
    pub fn create(&self, call: &Call, object: &mut Object) -> Result<Claims, Status> {
        if !applies(call) {
            return Ok(Claims::default());
        }
        let taken = service::settle(&self.space(call), call, object, None)?;
        Ok(Claims { taken, ..Claims::default() })
    }

    /// Fills in what a changed object is given.
    pub fn update(&self, call: &Call, new: &mut Object, old: &Object) -> Result<Claims, Status> {
        if !applies(call) || !call.target.subresource.is_empty() {
            return Ok(Claims::default());
        }
        let before = service::held(old);
        let wanted = service::settle(&self.space(call), call, new, Some(old))?;
        let released = before.iter().filter(|claim| !wanted.iter().any(|w| w.same(claim))).cloned().collect();
        let taken = wanted.into_iter().filter(|claim| !before.iter().any(|b| b.same(claim))).collect();
        Ok(Claims { taken, released, ..Claims::default() })
    }

    /// The writes that give back what a deleted object held.
    pub fn delete(&self, call: &Call, old: &Object) -> Vec<Op> {
        if !applies(call) {
            return Vec::new();
        }
        service::held(old).iter().map(|claim| Op::Delete { key: claim.key() }).collect()
    }
}

fn applies(call: &Call) -> bool {
    call.kind.info.gvk.group.is_empty() && call.kind.info.plural == "services"
}

// === impl Claims ===

impl Claims {
    /// Takes what the quotas of the namespace are charged, too.
    #[must_use]
    pub fn with(self, charges: Option<Charges>) -> Self {
        Self { charges, ..self }
    }

    /// The transaction was made at a revision.
    pub fn written(&mut self, call: &Call, revision: u64) {
        if let Some(charges) = &mut self.charges {
            charges.written(call, revision);
        }
    }

    /// Adds the claims to the transaction that writes the object.
    pub fn apply(&self, call: &Call, object: &Object, options: &mut Options) {
        options.when = self.taken.iter().map(|claim| Compare { key: claim.key(), revision: 0 }).collect();
        options.also = self.taken.iter().map(|claim| claim.put(call, object)).collect();
        options.also.extend(self.released.iter().map(|claim| Op::Delete { key: claim.key() }));
        if let Some(charges) = &self.charges {
            charges.apply(options);
        }
    }

    /// A claim was taken by somebody else: another one if the server chose it, else 422.
    pub async fn taken(&mut self, call: &Call, key: &[u8], object: &mut Object) -> Result<(), Status> {
        if let Some(charges) = self.charges.as_mut().filter(|charges| charges.owns(key)) {
            return charges.renew(call, object).await;
        }
        self.tries += 1;
        let space = call.pipeline.allocators().space(call);
        let Some(claim) = self.taken.iter_mut().find(|claim| claim.key() == key) else {
            return Err(Status::modified(&call.resource(), object.name()));
        };
        if claim.asked || self.tries >= ATTEMPTS {
            return Err(claim.refusal(call, object));
        }
        let picked = if self.tries < PICKS { claim.pick(&space) } else { None };
        let next = match picked {
            Some(next) => Some(next),
            None => repair::free(call, &space, claim).await?,
        };
        let Some(next) = next else { return Err(claim.exhausted(call, object)) };
        service::replace(object, claim, &next);
        *claim = next;
        Ok(())
    }
}

#[cfg(test)]
mod tests;
