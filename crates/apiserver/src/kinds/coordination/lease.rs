//! Lease: who leads, and which node is alive.

use nakhoda_api::Scope;
use nakhoda_api::field::{Errors, Path};
use nakhoda_api::kinds::coordination::Lease;

use crate::kind::{Columns, Cx, Info, Kind};
use crate::rules::check::{subdomain, supported, text};

/// The kind.
pub struct Leases;

impl Kind for Leases {
    type Object = Lease;

    fn info() -> Info {
        Info {
            create_on_update: true,
            unconditional_update: false,
            ..Info::of::<Lease>("leases", "lease", Scope::Namespaced)
        }
    }

    /// Coordinated election is off: its fields are not taken, and stay where they are stored already.
    fn prepare(_: &Cx, new: &mut Lease, old: Option<&Lease>) {
        let old = old.and_then(|lease| lease.spec.as_ref());
        let Some(spec) = &mut new.spec else { return };
        if old.is_none_or(|old| old.strategy.is_none()) {
            spec.strategy = None;
        }
        if old.is_none_or(|old| old.preferred_holder.is_none()) {
            spec.preferred_holder = None;
        }
    }

    fn validate(_: &Cx, new: &Lease, _: Option<&Lease>, errors: &mut Errors) {
        let (path, spec) = (Path::new("spec"), new.spec.clone().unwrap_or_default());
        if let Some(seconds) = spec.lease_duration_seconds.filter(|s| *s <= 0) {
            errors.invalid(&path.child("leaseDurationSeconds"), seconds, "must be greater than 0");
        }
        if let Some(count) = spec.lease_transitions.filter(|n| *n < 0) {
            errors.invalid(&path.child("leaseTransitions"), count, "must be greater than or equal to 0");
        }
        match text(&spec.strategy) {
            "" if !text(&spec.preferred_holder).is_empty() => {
                let why = "may only be specified if `strategy` is defined";
                errors.forbidden(&path.child("preferredHolder"), why);
            }
            "" => {}
            custom if custom.contains('/') => {
                subdomain(errors, &path.child("strategy"), custom.split('/').next().unwrap_or(""))
            }
            known => supported(errors, &path.child("strategy"), known, &["OldestEmulationVersion"]),
        }
    }

    fn columns() -> Columns<Lease> {
        Columns::<Lease>::named()
            .text("Holder", |l, _| l.spec.as_ref().map_or("", |s| text(&s.holder_identity)).into())
            .age()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::kinds::testing::{create, row};

    #[test]
    fn a_lease_lasts_and_shows_its_holder() {
        assert_eq!(
            create::<Leases>(json!({"spec": {"leaseDurationSeconds": 0, "leaseTransitions": -1}})),
            "[spec.leaseDurationSeconds: Invalid value: 0: must be greater than 0, \
             spec.leaseTransitions: Invalid value: -1: must be greater than or equal to 0]"
        );
        assert_eq!(row::<Leases>(json!({"metadata": {"name": "a"}, "spec": {"holderIdentity": "b"}}))[..2], ["a", "b"]);
    }
}
