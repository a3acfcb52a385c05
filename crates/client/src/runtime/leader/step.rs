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

/// Decides about the Lease as known, which has looked the same for `age` by our own clock: the clocks
/// of others are not trusted.
#[must_use]
pub fn step(
    known: Option<&Lease>,
    age: Duration,
    key: &Key,
    identity: &str,
    settings: &Settings,
    now: Timestamp,
) -> Step {
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
    let next = if holder == identity {
        LeaseSpec { acquire_time: spec.acquire_time, ..taken(transitions, identity, settings, now) }
    } else if holder.is_empty() || age >= stands {
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

    fn decide(known: Option<&Lease>, age: u64) -> Step {
        let now = Timestamp::from_second(100).expect("a time");
        step(known, Duration::from_secs(age), &Key::new("kube-system", "x"), "me", &Settings::default(), now)
    }

    fn transitions(step: &Step) -> Option<i32> {
        match step {
            Step::Create(lease) | Step::Update(lease) => lease.spec.as_ref().and_then(|s| s.lease_transitions),
            Step::Wait => None,
        }
    }

    #[test]
    fn a_lease_of_another_is_taken_only_after_it_stood_still_for_its_duration() {
        assert_eq!(decide(Some(&held("other", 3)), 14), Step::Wait);
        assert_eq!(transitions(&decide(Some(&held("other", 3)), 15)), Some(4));
    }

    #[test]
    fn renewing_keeps_the_transitions_and_the_time_of_acquiring() {
        let Step::Update(lease) = decide(Some(&held("me", 3)), 0) else { panic!("must renew") };
        let spec = lease.spec.expect("a spec");
        assert_eq!((spec.lease_transitions, spec.acquire_time), (Some(3), Some(MicroTime(Timestamp::UNIX_EPOCH))));
    }

    #[test]
    fn a_released_lease_is_taken_at_once_and_its_fence_is_another() {
        let old = held("other", 3);
        let released = released(&old, Timestamp::UNIX_EPOCH);
        let step = decide(Some(&released), 0);
        assert_eq!(transitions(&step), Some(4));
        let Step::Update(new) = step else { panic!("must take over") };
        let key = Key::new("kube-system", "x");
        assert_ne!(fence(&old, &key), fence(&new, &key));
    }
}
