//! CREATE.

use nakhoda_api::{Object, Reason, Status};
use nakhoda_store::Error;

use super::{Call, body, chain, meta, outcome, write};
use crate::request::{Write, WriteOptions};
use crate::response::{Answer, Response};

/// So many names are tried for one prefix.
const NAMES: usize = 8;

/// Makes the object of the body.
pub async fn create(call: &Call, write: Write) -> Result<Response, Status> {
    let given = body::read_as(&write.body, &call.kind, write.options.validation)?;
    let mut response = object(call, given.object, &write.options).await?;
    response.warnings.splice(0..0, given.warnings);
    Ok(response)
}

/// Makes an object; another name is tried if a generated one is taken.
pub async fn object(call: &Call, object: Object, options: &WriteOptions) -> Result<Response, Status> {
    owned(call, object, options, false).await
}

/// The same; `owned`: who owns the fields of the object is noted in it already.
pub async fn owned(call: &Call, mut object: Object, options: &WriteOptions, owned: bool) -> Result<Response, Status> {
    if !object.resource_version().is_empty() {
        let why = "resourceVersion should not be set on objects to be created";
        return Err(Status::failure(500, Reason::Unknown, why));
    }
    meta::settle_namespace(&mut object, call.namespace(), call.kind.info.scope)?;
    meta::wipe(&mut object);
    let tries = if object.name().is_empty() { NAMES } else { 1 };
    for _ in 1..tries {
        match attempt(call, object.clone(), options, owned).await {
            Err(status) if status.is(Reason::AlreadyExists) => {}
            outcome => return outcome,
        }
    }
    attempt(call, object, options, owned).await
}

async fn attempt(call: &Call, mut object: Object, options: &WriteOptions, owned: bool) -> Result<Response, Status> {
    let generated = object.name().is_empty();
    let chain::Passed { mut warnings, mut claims } = chain::create(call, &mut object, options, owned).await?;
    let name = object.name().to_owned();
    let mut extra = write::options(call, options)?;
    loop {
        let value = write::encode_in(call, &mut object).await?;
        if options.dry_run {
            let shown = if call.kind.strategy.settles() {
                object
            } else {
                let stored = Object::from_json(&value).map_err(|error| Status::internal(&error))?;
                call.kind.strategy.from_storage(stored)
            };
            return dry(call, shown, warnings).await;
        }
        claims.apply(call, &object, &mut extra);
        let key = call.key(&name);
        match call.pipeline.storage().store().create(key, value.clone(), &extra).await {
            Ok(revision) => {
                claims.written(call, revision);
                warnings.dedup();
                let item = write::item(call, &name, &value, revision, revision)?;
                let answer = Answer::Created { kind: call.kind.clone(), item };
                return Ok(Response { answer, warnings });
            }
            Err(Error::Condition { key, .. }) => claims.taken(call, &key, &mut object).await?,
            Err(error) => return Err(refusal(call, &object, generated, &error)),
        }
    }
}

fn refusal(call: &Call, object: &Object, generated: bool, error: &Error) -> Status {
    let mut status = outcome::status(call, object.name(), error);
    let Error::Exists { current } = error else { return status };
    if generated {
        status.message.push_str(", the server was not able to generate a unique name for the object");
        if let Some(details) = &mut status.details {
            details.retry_after_seconds = 1;
        }
    }
    if Object::from_json(&current.value).is_ok_and(|o| o.is_terminating()) {
        status.message.insert_str(0, "object is being deleted: ");
    }
    status
}

async fn dry(call: &Call, object: Object, warnings: Vec<String>) -> Result<Response, Status> {
    let read = call.pipeline.storage().store().get(&call.key(object.name())).await;
    match read.map_err(|error| outcome::status(call, object.name(), &error))?.entry {
        Some(_) => Err(Status::already_exists(&call.resource(), object.name())),
        None => Ok(Response { answer: call.object(object, true), warnings }),
    }
}
