//! Keeping to the quotas of a namespace.
//!
//! What a write takes of a quota is added to the quota's status **in the transaction that writes the object**, under
//! the condition that the quota is as it was looked at. So nothing is given twice, by however many servers, and nothing
//! is charged for an object that is not written. Within one process the writes that one namespace's quotas are charged
//! for go one after the other: they would only fail each other. What is given back, the controller counts.

use bytes::Bytes;
use nakhoda_api::kinds::core::ResourceQuota;
use nakhoda_api::quota::{self, Limited, Measured, Refusal, Request};
use nakhoda_api::{GroupResource, GroupVersionResource, Object, Reason, Status};
use nakhoda_store::Options;
use nakhoda_store::store::{Compare, Op};
use serde_json::json;
use tokio::sync::OwnedMutexGuard;

use crate::admission::{Attributes, resource_quota};
use crate::verb::{Call, write};

mod book;

pub use book::Books;
use book::{Book, Held};

/// So many times a charge is made anew because somebody else changed the quotas.
const ATTEMPTS: usize = 16;

/// What nobody may have unless a quota says so: part of the server's configuration.
#[derive(Clone, Debug, Default)]
pub struct Configuration(pub std::sync::Arc<Vec<Limited>>);

/// What a write adds to the quotas of its namespace. While it is held, nobody else in this process charges them.
#[derive(Debug)]
pub struct Charges {
    matter: Matter,
    book: OwnedMutexGuard<Book>,
    writes: Vec<Charged>,
    tries: usize,
}

/// What is judged.
#[derive(Debug)]
struct Matter {
    resource: GroupResource,
    subresource: String,
    new: Box<dyn Measured>,
    old: Option<Box<dyn Measured>>,
}

/// A quota as it will be.
#[derive(Debug)]
struct Charged {
    name: String,
    key: Bytes,
    expected: u64,
    created: u64,
    value: Bytes,
}

/// What a write takes of the quotas of its namespace; 403 if that is more than is left.
pub async fn charge(attributes: &Attributes<'_>, object: &Object) -> Result<Option<Charges>, Status> {
    let call = attributes.call;
    let (resource, subresource) = (call.resource(), attributes.subresource());
    let runs = call.pipeline.admission().has(resource_quota::NAME);
    if !runs || call.namespace().is_empty() || !quota::concerns(&resource, subresource, attributes.old.is_none()) {
        return Ok(None);
    }
    let Some(quotas) = on_quotas(call) else { return Ok(None) };
    let held = book::cached(&quotas)?;
    let limited = limited(call);
    if held.is_empty() && limited.0.is_empty() {
        return Ok(None);
    }
    let read = |object| quota::read(&resource, object).map_err(|error| Status::internal(&error));
    let (new, old) = (read(object)?, attributes.old.map(read).transpose()?);
    let matter = Matter { subresource: subresource.to_owned(), new, old, resource: resource.clone() };
    let charges = match matter.judge(call, &held) {
        // The cache may lag behind what has been given back: the store has the last word.
        Err(_) => matter.judge(call, &book::fresh(&quotas).await?),
        judged => judged,
    };
    if charges.map_err(|refusal| told(attributes, object, &refusal))?.is_empty() || attributes.dry_run {
        return Ok(None);
    }
    let book = call.pipeline.books().lock(call.namespace()).await;
    let mut charges = Charges { matter, book, writes: Vec::new(), tries: 0 };
    let held = charges.book.newest(book::cached(&quotas)?)?;
    if let Err(refusal) = charges.fill(call, &quotas, &held).await? {
        let fresh = book::fresh(&quotas).await?;
        tracing::debug!(%refusal, "looked at again");
        charges.fill(call, &quotas, &fresh).await?.map_err(|refusal| told(attributes, object, &refusal))?;
    }
    Ok(Some(charges))
}

/// A call about the quotas of the namespace.
fn on_quotas(call: &Call) -> Option<Call> {
    let kind = call.pipeline.kinds().get(&GroupVersionResource::new("", "v1", "resourcequotas"))?;
    Some(call.on(&kind, call.namespace(), ""))
}

fn limited(call: &Call) -> Configuration {
    call.pipeline.extension::<Configuration>().cloned().unwrap_or_default()
}

fn told(attributes: &Attributes<'_>, object: &Object, refusal: &Refusal) -> Status {
    match refusal {
        // upstream forgets to say that this is forbidden
        Refusal::UncoveredScopes(_) => Status::failure(500, Reason::Unknown, refusal.to_string()),
        _ => attributes.forbidden(Some(object), &refusal.to_string()),
    }
}

// === impl Matter ===

impl Matter {
    fn judge(&self, call: &Call, held: &[Held]) -> Result<Vec<quota::Charge>, Refusal> {
        let quotas: Vec<ResourceQuota> = held.iter().map(|held| held.quota.clone()).collect();
        let request = Request {
            resource: &self.resource,
            subresource: &self.subresource,
            old: self.old.as_deref(),
            new: &*self.new,
            now: call.now,
        };
        quota::admit::charges(&quotas, &request, &limited(call).0)
    }
}

// === impl Charges ===

impl Charges {
    /// Works out what is to be written.
    async fn fill(&mut self, call: &Call, quotas: &Call, held: &[Held]) -> Result<Result<(), Refusal>, Status> {
        self.writes.clear();
        let charges = match self.matter.judge(call, held) {
            Ok(charges) => charges,
            Err(refusal) => return Ok(Err(refusal)),
        };
        for charge in charges {
            let item = &held[charge.quota].item;
            let mut object = write::decode(quotas, item).await?;
            object.set_at(&["status", "used"], json!(quota::printed(&charge.used)));
            self.writes.push(Charged {
                name: item.name().to_owned(),
                key: quotas.key(item.name()),
                expected: item.revision,
                created: item.created,
                value: write::encode(quotas, &object).await?,
            });
        }
        Ok(Ok(()))
    }

    /// Adds the quotas to the transaction that writes the object.
    pub fn apply(&self, options: &mut Options) {
        let compares = self.writes.iter().map(|w| Compare { key: w.key.clone(), revision: w.expected });
        let puts = self.writes.iter().map(|w| Op::Put { key: w.key.clone(), value: w.value.clone(), ttl: None });
        options.when.extend(compares);
        options.also.extend(puts);
    }

    /// Whether a key is that of a quota.
    #[must_use]
    pub fn owns(&self, key: &[u8]) -> bool {
        self.writes.iter().any(|w| w.key == key)
    }

    /// A quota has changed meanwhile: everything is looked at again as the store has it now.
    pub async fn renew(&mut self, call: &Call, object: &Object) -> Result<(), Status> {
        self.tries += 1;
        let Some(quotas) = on_quotas(call).filter(|_| self.tries < ATTEMPTS) else {
            return Err(Status::modified(&GroupResource::new("", "resourcequotas"), &self.writes[0].name));
        };
        let fresh = book::fresh(&quotas).await?;
        let attributes = Attributes { call, operation: crate::admission::Operation::Create, old: None, dry_run: false };
        self.fill(call, &quotas, &fresh).await?.map_err(|refusal| told(&attributes, object, &refusal))
    }

    /// The transaction was made at a revision.
    pub fn written(&mut self, call: &Call, revision: u64) {
        let Some(quotas) = on_quotas(call) else { return };
        for one in self.writes.drain(..) {
            match write::item(&quotas, &one.name, &one.value, one.created, revision) {
                Ok(item) => self.book.note(item),
                Err(error) => {
                    tracing::warn!(quota = one.name, error = error.message, "what was written cannot be read")
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
