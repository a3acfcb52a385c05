//! StorageVersionMigrations: all objects of a resource that were there when it was asked are written anew, so that they
//! are stored in the version and under the key of today.
//!
//! The revision up to which objects count is noted first, so that a migration that was interrupted goes on where it can.
//! An object that somebody else has written or deleted meanwhile needs nothing more.

use jiff::SignedDuration;
use nakhoda_api::kinds::storagemigration::StorageVersionMigration;
use nakhoda_api::patch::PatchKind;
use nakhoda_api::{GroupVersion, Object, Reason, Status};
use nakhoda_client::{Client, Informer, Key, Outcome, Page, Patch, Reconcile, Result, WriteOptions};
use serde_json::json;

use crate::context::{Context, Watches};
use crate::served::Served;

pub mod plan;

use plan::{Step, fail, note, succeed};

const NAME: &str = "storage-version-migrator-controller";
const WORKERS: usize = 5;
/// Objects per page.
const PAGE: i64 = 500;
/// How long a resource may take to be served.
const PATIENCE: SignedDuration = SignedDuration::from_mins(1);

/// Starts the controller.
pub fn start(cx: &Context) {
    let migrations = cx.informers.of::<StorageVersionMigration>();
    let mut watches = Watches::new(cx, NAME);
    watches.on(&migrations, |migration: &StorageVersionMigration| vec![Key::of(migration)]);
    let options = WriteOptions { field_manager: NAME.into(), ..WriteOptions::default() };
    watches.run(WORKERS, Migrator { client: cx.client.writing(options), migrations });
}

struct Migrator {
    client: Client,
    migrations: Informer<StorageVersionMigration>,
}

// === impl Migrator ===

impl Reconcile for Migrator {
    fn name(&self) -> &'static str {
        NAME
    }

    async fn reconcile(&self, key: &Key) -> Result<Outcome> {
        let Some(migration) = self.migrations.get(key) else { return Ok(Outcome::Done) };
        let now = crate::clock::now();
        let step = plan::step(&migration);
        if step == Step::Rest {
            return Ok(Outcome::Done);
        }
        let all = Served::all(&self.client.discover().await?);
        let Some(resource) = plan::resource(&migration, &all) else {
            let age = migration.metadata.creation_timestamp.as_ref().map(|t| now.duration_since(t.0));
            if age.is_some_and(|age| age < PATIENCE) {
                return Err(Status::unavailable("the resource is not served yet", 0).into());
            }
            return self.write(fail(&migration, "unable to obtain GVR from discovery", now)).await;
        };
        match step {
            Step::Rest => Ok(Outcome::Done),
            Step::Note => {
                let page = Page { limit: 1, ..Page::default() };
                let listed = self.client.dynamic(&resource.gvr, None).list_page(&page).await?;
                self.write(note(&migration, &listed.resource_version, now)).await
            }
            Step::Run(revision) => match self.run(resource, revision).await {
                Ok(()) => self.write(succeed(&migration, now)).await,
                Err(error) if passes(&error) => Err(error),
                Err(error) => self.write(fail(&migration, &error.to_string(), now)).await,
            },
        }
    }
}

impl Migrator {
    async fn run(&self, resource: &Served, revision: u64) -> Result<()> {
        let api = self.client.dynamic(&resource.gvr, None);
        let mut page = Page { limit: PAGE, ..Page::default() };
        loop {
            let listed = api.list_page(&page).await?;
            for object in listed.items.iter().filter(|object| plan::is_older(object, revision)) {
                self.renew(resource, object).await?;
            }
            if listed.continue_token.is_empty() {
                return Ok(());
            }
            page.continue_token = listed.continue_token;
        }
    }

    /// A write that changes nothing. UID and revision keep it from making what has gone.
    async fn renew(&self, resource: &Served, object: &Object) -> Result<()> {
        let version = GroupVersion { group: resource.gvr.group.clone(), version: resource.gvr.version.clone() };
        let body = json!({
            "apiVersion": version.to_string(),
            "kind": resource.kind,
            "metadata": {"uid": object.uid(), "resourceVersion": object.resource_version()},
        });
        let patch = Patch { kind: PatchKind::Apply, body: body.to_string().into_bytes(), force: false };
        let namespace = Some(object.namespace()).filter(|_| resource.namespaced);
        match self.client.dynamic(&resource.gvr, namespace).patch(object.name(), &patch).await {
            Err(error) if !error.is_conflict() && !error.is_not_found() => Err(error),
            _ => Ok(()),
        }
    }

    async fn write(&self, migration: StorageVersionMigration) -> Result<Outcome> {
        self.client.all::<StorageVersionMigration>().update_status(&migration).await?;
        Ok(Outcome::Done)
    }
}

/// Whether the same request may do better later.
fn passes(error: &nakhoda_client::Error) -> bool {
    let passing = [
        Reason::ServerTimeout,
        Reason::TooManyRequests,
        Reason::ServiceUnavailable,
        Reason::InternalError,
        Reason::Timeout,
    ];
    error.status().is_none() || error.is_expired() || passing.into_iter().any(|reason| error.is(reason))
}
