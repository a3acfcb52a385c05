//! Fences: a write that depends on a leadership is refused once the Lease has moved on.

use std::sync::Arc;

use nakhoda_api::GroupVersionResource;
use nakhoda_api::Status;

use super::Call;
use crate::request::Fence;

/// The fences of the leaderships that write now: kept, because each remembers the last revision at
/// which it held, and that saves a read per write.
#[derive(Default)]
pub struct Fences(Vec<(Fence, Arc<nakhoda_store::Fence>)>);

/// So many leaderships at a time are remembered.
const KEPT: usize = 64;

/// The store's fence of a request, if it has one.
pub fn of(call: &Call, fence: Option<&Fence>) -> Result<Option<Arc<nakhoda_store::Fence>>, Status> {
    let Some(fence) = fence else { return Ok(None) };
    let mut fences = call.pipeline.fences().lock();
    if let Some((_, known)) = fences.0.iter().find(|(f, _)| f == fence) {
        return Ok(Some(known.clone()));
    }
    let leases = GroupVersionResource::new("coordination.k8s.io", "v1", "leases");
    let Some(kind) = call.pipeline.kinds().get(&leases) else {
        return Err(Status::bad_request("a fence needs the kind Lease, which is not served"));
    };
    let key = call.pipeline.storage().key(&kind.info, &fence.namespace, &fence.name);
    let wanted = fence.clone();
    let made = Arc::new(nakhoda_store::Fence::new(key, move |lease| holds(lease, &wanted)));
    if fences.0.len() == KEPT {
        fences.0.remove(0);
    }
    fences.0.push((fence.clone(), made.clone()));
    Ok(Some(made))
}

fn holds(lease: &[u8], fence: &Fence) -> bool {
    let Ok(lease) = serde_json::from_slice::<nakhoda_api::kinds::coordination::Lease>(lease) else { return false };
    let Some(spec) = lease.spec else { return false };
    spec.holder_identity.as_deref() == Some(&fence.holder) && spec.lease_transitions.unwrap_or(0) == fence.transitions
}
