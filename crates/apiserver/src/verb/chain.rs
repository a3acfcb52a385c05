//! The chain that every object passes on its way to the store:
//! default → mutating admission → metadata → prepare → allocate → validate → validating admission → quota.
//!
//! Both functions change the object in place.

use nakhoda_api::{Object, Status, schema};

use super::{Call, meta};
use crate::admission::{Attributes, Operation};
use crate::alloc::Claims;
use crate::quota;

/// What came of the chain beside the object.
#[derive(Debug, Default)]
pub struct Passed {
    /// Texts for the caller.
    pub warnings: Vec<String>,
    /// What the object is given and gives back, to be written in its transaction.
    pub claims: Claims,
}

/// A new object.
pub async fn create(call: &Call, object: &mut Object, dry_run: bool) -> Result<Passed, Status> {
    let (info, strategy, cx) = (&call.kind.info, &call.kind.strategy, call.cx());
    let attributes = Attributes { call, operation: Operation::Create, old: None, dry_run };
    strategy.default(object)?;
    call.pipeline.admission().mutate(&attributes, object).await?;
    meta::fill(object, info.generation, call.now);
    strategy.prepare(&cx, object, None)?;
    let claims = call.pipeline.allocators().create(call, object)?;
    let mut errors = meta::check(object, info.scope, info.names);
    errors.extend(strategy.validate(&cx, object, None)?);
    if !errors.is_empty() {
        return Err(Status::invalid(&call.fault_kind(), object.name(), &errors));
    }
    let warnings = strategy.warnings(object, None)?;
    call.pipeline.admission().validate(&attributes, Some(object)).await?;
    // last: nothing is charged for what is refused anyway
    let claims = claims.with(quota::charge(&attributes, object).await?);
    Ok(Passed { warnings, claims })
}

/// A changed object. `old` has its resource version, as the cache shows it.
pub async fn update(call: &Call, object: &mut Object, old: &Object, dry_run: bool) -> Result<Passed, Status> {
    let (info, strategy, cx) = (&call.kind.info, &call.kind.strategy, call.cx());
    let attributes = Attributes { call, operation: Operation::Update, old: Some(old), dry_run };
    meta::carry(object, old);
    if call.target.subresource.is_empty() && info.sub("status").is_some() {
        keep_status(object, old);
    }
    strategy.default(object)?;
    call.pipeline.admission().mutate(&attributes, object).await?;
    strategy.prepare(&cx, object, Some(old))?;
    let claims = call.pipeline.allocators().update(call, object, old)?;
    meta::carry(object, old);
    schema::normalise(object);
    if info.generation && call.target.subresource != "status" {
        meta::count_generation(object, old, info.counted, info.sub("status").is_some());
    }
    let mut errors = meta::check(object, info.scope, info.names);
    errors.extend(meta::check_update(object, old));
    errors.extend(strategy.validate(&cx, object, Some(old))?);
    if !errors.is_empty() {
        return Err(Status::invalid(&call.fault_kind(), object.name(), &errors));
    }
    let warnings = strategy.warnings(object, Some(old))?;
    call.pipeline.admission().validate(&attributes, Some(object)).await?;
    // last: nothing is charged for what is refused anyway
    let claims = claims.with(quota::charge(&attributes, object).await?);
    Ok(Passed { warnings, claims })
}

/// Only a write of the subresource changes the status.
fn keep_status(object: &mut Object, old: &Object) {
    match old.at(&["status"]) {
        Some(status) => object.set_at(&["status"], status.clone()),
        None => {
            object.remove_at(&["status"]);
        }
    }
}
