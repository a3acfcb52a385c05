//! Writes that hold against others who write at the same time: read, change, write, and again on 409.

use crate::api::Api;
use crate::error::Result;
use crate::resource::Resource;

/// How often a change is tried against conflicts.
const ATTEMPTS: usize = 5;

/// Changes an object by `change`, which says whether it altered anything; if not, nothing is written.
pub async fn update<K: Resource>(api: &Api<K>, name: &str, change: impl Fn(&mut K) -> bool) -> Result<K> {
    let mut attempts = 1;
    loop {
        let mut object = api.get(name).await?;
        if !change(&mut object) {
            return Ok(object);
        }
        match api.update(&object).await {
            Err(error) if error.is_conflict() && attempts < ATTEMPTS => attempts += 1,
            outcome => return outcome,
        }
    }
}

/// Makes an object, or brings the one that is there to `desired` by `change`, which says whether it
/// altered anything.
pub async fn create_or_update<K: Resource>(api: &Api<K>, desired: &K, change: impl Fn(&mut K) -> bool) -> Result<K> {
    match api.create(desired).await {
        Err(error) if error.is_already_exists() => update(api, desired.name(), change).await,
        outcome => outcome,
    }
}
