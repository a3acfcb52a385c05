//! What is to be done for a migration, and what is told of it.

use jiff::Timestamp;
use nakhoda_api::Object;
use nakhoda_api::kinds::meta::Condition;
use nakhoda_api::kinds::storagemigration::StorageVersionMigration;
use nakhoda_api::time::time;

use crate::served::Served;

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Nothing: it has ended, or its revision means nothing.
    Rest,
    /// The revision up to which objects count is to be noted.
    Note,
    /// Objects up to this revision are to be written.
    Run(u64),
}

/// What is to be done for it.
#[must_use]
pub fn step(migration: &StorageVersionMigration) -> Step {
    let status = migration.status.clone().unwrap_or_default();
    let ended = |condition: &Condition| ["Succeeded", "Failed"].contains(&&*condition.type_) && condition.status == "True";
    if migration.metadata.deletion_timestamp.is_some() || status.conditions.iter().flatten().any(ended) {
        return Step::Rest;
    }
    match status.resource_version.as_deref().unwrap_or_default() {
        "" => Step::Note,
        revision => revision.parse().map_or(Step::Rest, Step::Run),
    }
}

/// The resource that it is about, if that is served.
#[must_use]
pub fn resource<'a>(migration: &StorageVersionMigration, all: &'a [Served]) -> Option<&'a Served> {
    let wanted = &migration.spec.as_ref()?.resource;
    all.iter().find(|served| {
        served.gvr.group == wanted.group && served.gvr.resource == wanted.resource && served.can(&["list", "patch"])
    })
}

/// Whether an object has not been written since that revision.
#[must_use]
pub fn is_older(object: &Object, revision: u64) -> bool {
    object.resource_version().parse::<u64>().is_ok_and(|written| written <= revision)
}

/// It has begun: what is older than `revision` counts.
#[must_use]
pub fn note(migration: &StorageVersionMigration, revision: &str, now: Timestamp) -> StorageVersionMigration {
    let mut next = told(migration, "Running", "StorageVersionMigrationInProgress", "", now);
    next.status.get_or_insert_default().resource_version = Some(revision.into());
    next
}

/// It has ended well.
#[must_use]
pub fn succeed(migration: &StorageVersionMigration, now: Timestamp) -> StorageVersionMigration {
    told(migration, "Succeeded", "StorageVersionMigrationSucceeded", "", now)
}

/// It cannot be done.
#[must_use]
pub fn fail(migration: &StorageVersionMigration, why: &str, now: Timestamp) -> StorageVersionMigration {
    let message = format!("migration encountered unhandled error: {why}");
    told(migration, "Failed", "StorageVersionMigrationFailed", &message, now)
}

/// A condition is told once. One that is running ends when another comes.
fn told(
    migration: &StorageVersionMigration,
    type_: &str,
    reason: &str,
    message: &str,
    now: Timestamp,
) -> StorageVersionMigration {
    let mut next = migration.clone();
    let all = next.status.get_or_insert_default().conditions.get_or_insert_default();
    if !all.iter().any(|condition| condition.type_ == type_) {
        all.push(Condition {
            type_: type_.into(),
            status: "True".into(),
            reason: reason.into(),
            message: message.into(),
            observed_generation: None,
            last_transition_time: time(now),
        });
    }
    next
}

#[cfg(test)]
mod tests {
    use nakhoda_api::GroupVersionResource;
    use serde_json::json;

    use super::*;

    fn migration(status: &serde_json::Value) -> StorageVersionMigration {
        let resource = json!({"group": "apps", "resource": "deployments"});
        serde_json::from_value(json!({"spec": {"resource": resource}, "status": status})).expect("a migration")
    }

    #[test]
    fn the_revision_is_noted_then_objects_are_written_and_then_nothing_is_done() {
        let now = Timestamp::UNIX_EPOCH;
        let new = migration(&json!({}));
        assert_eq!(step(&new), Step::Note);
        let begun = note(&new, "17", now);
        assert_eq!(step(&begun), Step::Run(17));
        assert_eq!(step(&succeed(&begun, now)), Step::Rest);
        assert_eq!(step(&fail(&begun, "x", now)), Step::Rest);
        assert_eq!(fail(&begun, "x", now), fail(&fail(&begun, "x", now), "y", now));
        assert_eq!(step(&migration(&json!({"resourceVersion": "x"}))), Step::Rest);
    }

    #[test]
    fn only_what_is_older_counts_and_only_of_what_is_served() {
        let object = |revision: &str| Object::from_value(json!({"metadata": {"resourceVersion": revision}})).expect("one");
        assert!(is_older(&object("17"), 17));
        assert!(!is_older(&object("18"), 17));
        let served = |group: &str, verb: &str| Served {
            gvr: GroupVersionResource::new(group, "v1", "deployments"),
            kind: "Deployment".into(),
            namespaced: true,
            verbs: vec!["list".into(), verb.into()],
        };
        let new = migration(&json!({}));
        assert!(resource(&new, &[served("", "patch"), served("apps", "get")]).is_none());
        assert!(resource(&new, &[served("", "patch"), served("apps", "patch")]).is_some());
    }
}
