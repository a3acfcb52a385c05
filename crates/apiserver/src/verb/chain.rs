//! The chain that every object passes on its way to the store:
//! default → owners of fields → mutating admission → metadata → prepare → allocate → validate → validating
//! admission → quota.
//!
//! Both functions change the object in place.

use nakhoda_api::{Object, Status, schema};

use serde_json::Value;

use super::{Call, managed, meta};
use crate::admission::{Attributes, Operation};
use crate::alloc::Claims;
use crate::kind::Judged;
use crate::quota;
use crate::request::WriteOptions;

/// What came of the chain beside the object.
#[derive(Debug, Default)]
pub struct Passed {
    /// Texts for the caller.
    pub warnings: Vec<String>,
    /// What the object is given and gives back, to be written in its transaction.
    pub claims: Claims,
}

/// A new object. `owned`: who owns its fields is noted already.
pub async fn create(call: &Call, object: &mut Object, options: &WriteOptions, owned: bool) -> Result<Passed, Status> {
    let (info, strategy, cx) = (&call.kind.info, &call.kind.strategy, call.cx());
    let attributes = Attributes { call, operation: Operation::Create, old: None, dry_run: options.dry_run };
    let given = object.remove_meta(managed::FIELD);
    strategy.default(object)?;
    own(call, object, None, given, options, owned);
    let mended = mutate(&attributes, object).await?;
    let owners = object.remove_meta(managed::FIELD);
    meta::fill(object, info.generation, call.now);
    strategy.prepare(&cx, object, None)?;
    let claims = call.pipeline.allocators().create(call, object)?;
    let mut errors = meta::check(object, info.scope, info.names);
    let Judged { errors: faults, mut warnings } = strategy.judge(&cx, object, None)?;
    errors.extend(faults);
    if !errors.is_empty() {
        return Err(Status::invalid(&call.fault_kind(), object.name(), &errors));
    }
    warnings.extend(mended);
    managed::put(object, owners);
    call.pipeline.admission().validate(&attributes, Some(object)).await?;
    // last: nothing is charged for what is refused anyway
    let claims = claims.with(quota::charge(&attributes, object).await?);
    Ok(Passed { warnings, claims })
}

/// A changed object. `old` has its resource version, as the cache shows it. `owned`: who owns its fields is noted
/// already.
pub async fn update(
    call: &Call,
    object: &mut Object,
    old: &Object,
    options: &WriteOptions,
    owned: bool,
) -> Result<Passed, Status> {
    let (info, strategy, cx) = (&call.kind.info, &call.kind.strategy, call.cx());
    let attributes = Attributes { call, operation: Operation::Update, old: Some(old), dry_run: options.dry_run };
    let given = object.remove_meta(managed::FIELD);
    meta::carry(object, old);
    if call.target.subresource.is_empty() && info.sub("status").is_some() {
        keep_status(object, old);
    }
    strategy.default(object)?;
    own(call, object, Some(old), given, options, owned);
    let mended = mutate(&attributes, object).await?;
    managed::settle(object, old);
    let owners = object.remove_meta(managed::FIELD);
    strategy.prepare(&cx, object, Some(old))?;
    let claims = call.pipeline.allocators().update(call, object, old)?;
    meta::carry(object, old);
    schema::normalise(object);
    if info.generation && call.target.subresource != "status" {
        meta::count_generation(object, old, info.counted, info.sub("status").is_some());
    }
    let mut errors = meta::check(object, info.scope, info.names);
    errors.extend(meta::check_update(object, old));
    let Judged { errors: faults, mut warnings } = strategy.judge(&cx, object, Some(old))?;
    errors.extend(faults);
    if !errors.is_empty() {
        return Err(Status::invalid(&call.fault_kind(), object.name(), &errors));
    }
    warnings.extend(mended);
    managed::put(object, owners);
    call.pipeline.admission().validate(&attributes, Some(object)).await?;
    // last: nothing is charged for what is refused anyway
    let claims = claims.with(quota::charge(&attributes, object).await?);
    Ok(Passed { warnings, claims })
}

/// Notes who owns the fields now, unless whoever made the object did.
fn own(
    call: &Call,
    object: &mut Object,
    old: Option<&Object>,
    given: Option<Value>,
    options: &WriteOptions,
    owned: bool,
) {
    if owned {
        managed::put(object, given);
    } else {
        managed::track(call, old, object, given.as_ref(), options);
    }
}

/// Mutating admission, and a warning if it broke what is known of owners.
async fn mutate(attributes: &Attributes<'_>, object: &mut Object) -> Result<Option<String>, Status> {
    let before = object.at(&["metadata", managed::FIELD]).cloned();
    attributes.call.pipeline.admission().mutate(attributes, object).await?;
    Ok(managed::mend(object, before.as_ref()))
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
