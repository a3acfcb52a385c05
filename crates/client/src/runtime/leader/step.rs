//! What to do about a Lease, given what is known of it. Pure: times are passed in.

use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use nakhoda_api::time::micro_time;

use super::Settings;
use crate::client::Fence;
use crate::key::Key;

/// What to do.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// Nobody has ever led.
    Create(Lease),
    /// Renew it, or take it over.
    Update(Lease),
    /// Another holds it.
    Wait,
}

/// Who wants the Lease.
#[derive(Clone, Copy, Debug)]
pub struct Candidate<'a> {
    /// Which Lease.
    pub key: &'a Key,
    /// Its name there.
    pub identity: &'a str,
    /// What it has to do with the Lease so far.
    pub claim: Claim,
    /// The times.
    pub settings: &'a Settings,
}

/// What this process has to do with the Lease so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Claim {
    /// It has just started: a Lease in its own name is from its previous life, which may still write,
    /// so it takes it over at once and the fence shuts the other out.
    Fresh,
    /// It holds it, having changed hands so many times.
    Holding(i32),
    /// It has lost it: a Lease in its own name is of another process.
    Lost,
}

/// Decides about the Lease as known, which has looked the same for `age` by our own clock: the clocks
/// of others are not trusted.
#[must_use]
pub fn step(known: Option<&Lease>, age: Duration, who: &Candidate<'_>, now: Timestamp) -> Step {
    let Candidate { key, identity, claim, settings } = *who;
    let Some(known) = known else {
        let spec = taken(0, identity, settings, now);
        let metadata = ObjectMeta {
            name: Some(key.name.clone()),
            namespace: Some(key.namespace.clone()),
            ..ObjectMeta::default()
        };
        return Step::Create(Lease { metadata, spec: Some(spec) });
    };
    let spec = known.spec.clone().unwrap_or_default();
    let holder = spec.holder_identity.as_deref().unwrap_or_default();
    let transitions = spec.lease_transitions.unwrap_or_default();
    let stands = Duration::from_secs(spec.lease_duration_seconds.unwrap_or_default().max(0).unsigned_abs().into());
    let next = if holder == identity && claim == Claim::Holding(transitions) {
        LeaseSpec { acquire_time: spec.acquire_time, ..taken(transitions, identity, settings, now) }
    } else if holder.is_empty() || age >= stands || (holder == identity && claim == Claim::Fresh) {
        taken(transitions.saturating_add(1), identity, settings, now)
    } else {
        return Step::Wait;
    };
    Step::Update(Lease { metadata: known.metadata.clone(), spec: Some(next) })
}

/// The Lease without a holder.
#[must_use]
pub fn released(known: &Lease, now: Timestamp) -> Lease {
    let spec = known.spec.clone().unwrap_or_default();
    Lease {
        metadata: known.metadata.clone(),
        spec: Some(LeaseSpec {
            holder_identity: Some(String::new()),
            lease_duration_seconds: Some(1),
            renew_time: Some(micro_time(now)),
            acquire_time: Some(micro_time(now)),
            ..spec
        }),
    }
}

/// The fence of a Lease that we hold.
#[must_use]
pub fn fence(lease: &Lease, key: &Key) -> Fence {
    let spec = lease.spec.as_ref();
    Fence {
        namespace: key.namespace.clone(),
        name: key.name.clone(),
        holder: spec.and_then(|s| s.holder_identity.clone()).unwrap_or_default(),
        transitions: spec.and_then(|s| s.lease_transitions).unwrap_or_default(),
    }
}

fn taken(transitions: i32, identity: &str, settings: &Settings, now: Timestamp) -> LeaseSpec {
    LeaseSpec {
        holder_identity: Some(identity.into()),
        lease_duration_seconds: Some(i32::try_from(settings.duration.as_secs()).unwrap_or(i32::MAX)),
        acquire_time: Some(micro_time(now)),
        renew_time: Some(micro_time(now)),
        lease_transitions: Some(transitions),
        ..LeaseSpec::default()
    }
}

#[cfg(test)]
mod tests {
    use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;

    use super::*;

    fn held(by: &str, transitions: i32) -> Lease {
        let spec = taken(transitions, by, &Settings::default(), Timestamp::UNIX_EPOCH);
        Lease { metadata: ObjectMeta::default(), spec: Some(spec) }
    }

    fn decide(known: Option<&Lease>, age: u64, claim: Claim) -> Step {
        let (now, key) = (Timestamp::from_second(100).expect("a time"), Key::new("kube-system", "x"));
        let who = Candidate { key: &key, identity: "me", claim, settings: &Settings::default() };
        step(known, Duration::from_secs(age), &who, now)
    }

    fn transitions(step: &Step) -> Option<i32> {
        match step {
            Step::Create(lease) | Step::Update(lease) => lease.spec.as_ref().and_then(|s| s.lease_transitions),
            Step::Wait => None,
        }
    }

    #[test]
    fn a_lease_of_another_is_taken_only_after_it_stood_still_for_its_duration() {
        assert_eq!(decide(Some(&held("other", 3)), 14, Claim::Fresh), Step::Wait);
        assert_eq!(transitions(&decide(Some(&held("other", 3)), 15, Claim::Fresh)), Some(4));
    }

    #[test]
    fn renewing_keeps_the_transitions_and_the_time_of_acquiring() {
        let Step::Update(lease) = decide(Some(&held("me", 3)), 0, Claim::Holding(3)) else { panic!("must renew") };
        let spec = lease.spec.expect("a spec");
        assert_eq!((spec.lease_transitions, spec.acquire_time), (Some(3), Some(MicroTime(Timestamp::UNIX_EPOCH))));
    }

    #[test]
    fn a_released_lease_is_taken_at_once_and_its_fence_is_another() {
        let old = held("other", 3);
        let released = released(&old, Timestamp::UNIX_EPOCH);
        let step = decide(Some(&released), 0, Claim::Lost);
        assert_eq!(transitions(&step), Some(4));
        let Step::Update(new) = step else { panic!("must take over") };
        let key = Key::new("kube-system", "x");
        assert_ne!(fence(&old, &key), fence(&new, &key));
    }

    #[test]
    fn a_process_that_starts_again_takes_over_from_its_previous_life_and_one_that_lost_does_not() {
        assert_eq!(transitions(&decide(Some(&held("me", 3)), 0, Claim::Fresh)), Some(4));
        assert_eq!(decide(Some(&held("me", 4)), 0, Claim::Holding(3)), Step::Wait);
        assert_eq!(decide(Some(&held("me", 4)), 0, Claim::Lost), Step::Wait);
    }
}
