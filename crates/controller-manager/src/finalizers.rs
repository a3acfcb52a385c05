//! Finalizers of one controller: given and taken without touching those of others.

use nakhoda_client::{Client, Key, Patch, Resource, Result};
use serde_json::{Value, json};

/// Whether the object has it.
pub fn has<K: Resource>(object: &K, finalizer: &str) -> bool {
    object.metadata().finalizers.iter().flatten().any(|f| f == finalizer)
}

/// Gives it to this object, if the object is still there.
pub async fn add<K: Resource>(client: &Client, object: &K, finalizer: &str) -> Result<()> {
    patch(client, object, "finalizers", finalizer).await
}

/// Takes it from this object, if the object is still there.
pub async fn remove<K: Resource>(client: &Client, object: &K, finalizer: &str) -> Result<()> {
    patch(client, object, "$deleteFromPrimitiveList/finalizers", finalizer).await
}

async fn patch<K: Resource>(client: &Client, object: &K, field: &str, finalizer: &str) -> Result<()> {
    let mut body: Value = json!({"metadata": {"uid": object.uid()}});
    body["metadata"][field] = json!([finalizer]);
    let Key { namespace, name } = Key::of(object);
    match client.namespaced::<K>(&namespace).patch(&name, &Patch::strategic(&body)).await {
        Err(error) if !error.is_not_found() => Err(error),
        _ => Ok(()),
    }
}
