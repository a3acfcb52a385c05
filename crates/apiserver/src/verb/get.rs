//! GET.

use std::sync::Arc;

use nakhoda_api::Status;
use nakhoda_store::Error;
use nakhoda_store::cache::{Item, Snapshot};

use super::{Call, outcome};
use crate::response::Response;
use crate::storage;

/// The object: `""` waits for all writes answered before, `"0"` takes what the cache has, a number waits
/// for that revision.
pub async fn get(call: &Call, resource_version: &str) -> Result<Response, Status> {
    let item = item(call, resource_version).await?;
    Ok(Response::new(call.item(item)))
}

/// The same as an item.
pub async fn item(call: &Call, resource_version: &str) -> Result<Arc<Item>, Status> {
    let snapshot = snapshot(call, resource_version).await?;
    let key = relative(call);
    snapshot.get(&key).cloned().ok_or_else(|| match call.cache().unreadable(&key) {
        Some((unreadable, why)) if *unreadable == key => {
            outcome::status(call, &call.target.name, &Error::Unreadable { why })
        }
        _ => call.not_found(),
    })
}

/// The state of the kind's cache that a resource version asks for.
pub async fn snapshot(call: &Call, resource_version: &str) -> Result<Snapshot, Status> {
    let cache = call.cache();
    let snapshot = match (resource_version, outcome::revision(resource_version)?) {
        ("", _) => cache.fresh().await,
        (_, revision) => cache.wait_for(revision, outcome::REVISION_WAIT).await,
    };
    snapshot.map_err(|error| outcome::status(call, &call.target.name, &error))
}

/// The key of the call's object within its resource.
#[must_use]
pub fn relative(call: &Call) -> String {
    storage::relative(call.namespace(), &call.target.name)
}
