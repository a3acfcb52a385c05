//! Setting right what other programs left behind in the store: a Service without its keys, keys without
//! their Service. Both are read at one revision, and every correction is conditional, so it may run beside
//! other API servers at any time.

use std::collections::HashMap;
use std::sync::Arc;

use bytes::Bytes;
use nakhoda_api::{GroupVersionResource, Object, Status};
use nakhoda_store::store::{Compare, Entry, List, Op, Txn};

use super::claim::{ADDRESSES, MANAGED_BY, MANAGER, PORTS, Value};
use super::{Claim, Space, service};
use crate::kind::Served;
use crate::pipeline::Pipeline;
use crate::verb::{Call, outcome};

/// Makes keys and Services agree. Tells how many corrections there were.
pub async fn run(pipeline: &Pipeline) -> Result<usize, Status> {
    let Some(kind) = pipeline.kinds().get(&GroupVersionResource::new("", "v1", "services")) else { return Ok(0) };
    let call = call(pipeline, &kind)?;
    let prefix = format!("/registry/{}/", kind.info.storage);
    let (services, revision) = list(&call, &prefix, None).await?;
    let (addresses, _) = list(&call, ADDRESSES, Some(revision)).await?;
    let (ports, _) = list(&call, PORTS, Some(revision)).await?;
    let mut keys: HashMap<Bytes, Entry> =
        addresses.into_iter().chain(ports).map(|entry| (entry.key.clone(), entry)).collect();
    let mut corrections = Vec::new();
    for entry in &services {
        let Ok(object) = Object::from_json(&entry.value) else { continue };
        for claim in service::held(&object) {
            if keys.remove(&claim.key()).is_none() {
                corrections.push(missing(&call, entry, &object, &claim));
            }
        }
    }
    corrections.extend(keys.into_values().filter(is_ours).map(|entry| Txn {
        compares: vec![Compare { key: entry.key.clone(), revision: entry.revision }],
        ops: vec![Op::Delete { key: entry.key }],
    }));
    let count = corrections.len();
    for txn in corrections {
        commit(&call, txn).await?;
    }
    Ok(count)
}

/// Whether the server wrote a key for a Service. Addresses of others are no business of it.
fn is_ours(entry: &Entry) -> bool {
    let managed = |object: Object| object.labels().any(|(key, value)| key == MANAGED_BY && value == MANAGER);
    !entry.key.starts_with(ADDRESSES.as_bytes()) || Object::from_json(&entry.value).is_ok_and(managed)
}

/// A value that nobody holds now, for when guessing does not find one.
pub(super) async fn free(call: &Call, space: &Space, like: &Claim) -> Result<Option<Claim>, Status> {
    let prefix = match like.value {
        Value::Address(_) => ADDRESSES,
        Value::Port(_) => PORTS,
    };
    let (entries, _) = list(call, prefix, None).await?;
    let taken: std::collections::HashSet<Bytes> = entries.into_iter().map(|entry| entry.key).collect();
    let of = |value: Value| Claim { value, ..like.clone() };
    let found = match like.value {
        Value::Port(_) => {
            let mut all = (space.ports.first..=space.ports.last).map(Value::Port);
            all.find(|value| !taken.contains(&of(*value).key()))
        }
        Value::Address(_) => space.all().map(Value::Address).find(|value| !taken.contains(&of(*value).key())),
    };
    Ok(found.map(of))
}

fn call(pipeline: &Pipeline, kind: &Arc<Served>) -> Result<Call, Status> {
    let target = crate::request::ResourceTarget { gvr: kind.info.gvr(), ..Default::default() };
    let request =
        crate::request::Request::internal(target.clone(), crate::request::Action::Visit { method: "get".into() });
    Call::new(pipeline, target, crate::user::User::system(), &request.caller, request.accept)
}

async fn list(call: &Call, prefix: &str, at: Option<u64>) -> Result<(Vec<Entry>, u64), Status> {
    let list = List { prefix: Bytes::copy_from_slice(prefix.as_bytes()), at, ..List::default() };
    let listing =
        call.pipeline.storage().store().list(list).await.map_err(|error| outcome::status(call, "", &error))?;
    Ok((listing.entries, listing.revision))
}

fn missing(call: &Call, service: &Entry, object: &Object, claim: &Claim) -> Txn {
    let unchanged = Compare { key: service.key.clone(), revision: service.revision };
    let absent = Compare { key: claim.key(), revision: 0 };
    Txn { compares: vec![unchanged, absent], ops: vec![claim.put(call, object)] }
}

async fn commit(call: &Call, txn: Txn) -> Result<(), Status> {
    let store = call.pipeline.storage().store();
    // refused: somebody changed it meanwhile, and whoever did has kept both in step
    store.commit(txn).await.map(|_| ()).map_err(|error| outcome::status(call, "", &error))
}
