//! As what a webhook or a policy sees an object: in the version of the request, or, if its rules name only another version
//! of the same resource and it does not insist on them (`matchPolicy: Equivalent`), in that one.

use std::borrow::Cow;
use std::sync::Arc;

use nakhoda_api::{Object, Status};

use super::hook::Rule;
use super::matching;
use crate::admission::Attributes;
use crate::kind::Served;

/// How far rules reach.
#[derive(Clone, Copy, Debug)]
pub struct Scope {
    /// Whether they mean other versions, too.
    pub equivalent: bool,
}

/// The kind as which a request was matched.
#[derive(Clone)]
pub struct Matched {
    /// The kind.
    pub kind: Arc<Served>,
    /// Whether it is another than the request's.
    pub differs: bool,
}

// === impl Scope ===

impl Scope {
    /// As what any of the rules matches a request.
    #[must_use]
    pub fn matched(self, rules: &[Rule], attributes: &Attributes<'_>) -> Option<Matched> {
        let own = Matched::exact(attributes);
        if rules.iter().any(|rule| matching::fits(rule, attributes, &own.kind.info)) {
            return Some(own);
        }
        if !self.equivalent || !rules.iter().any(|rule| matching::may_fit(rule, attributes)) {
            return None;
        }
        let sub = attributes.subresource();
        let others: Vec<Arc<Served>> = attributes
            .call
            .pipeline
            .kinds()
            .all()
            .into_iter()
            .filter(|other| other.info.storage == own.kind.info.storage && other.info.gvk != own.kind.info.gvk)
            .filter(|other| sub.is_empty() || other.info.sub(sub).is_some())
            .collect();
        let mut found = rules.iter().flat_map(|rule| others.iter().map(move |other| (rule, other)));
        let (_, kind) = found.find(|(rule, other)| matching::fits(rule, attributes, &other.info))?;
        Some(Matched { kind: kind.clone(), differs: true })
    }
}

// === impl Matched ===

impl Matched {
    /// As what it is.
    #[must_use]
    pub fn exact(attributes: &Attributes<'_>) -> Self {
        Self { kind: attributes.call.kind.clone(), differs: false }
    }

    /// An object of the request as it is seen.
    pub async fn see<'o>(
        &self,
        attributes: &Attributes<'_>,
        object: Option<&'o Object>,
    ) -> Result<Option<Cow<'o, Object>>, Status> {
        let Some(object) = object else { return Ok(None) };
        if !self.differs || object.gvk().as_ref() != Some(&attributes.call.kind.info.gvk) {
            return Ok(Some(Cow::Borrowed(object)));
        }
        convert(&attributes.call.kind, &self.kind, object.clone()).await.map(|object| Some(Cow::Owned(object)))
    }

    /// An object that was seen as the request has it.
    pub async fn back(&self, attributes: &Attributes<'_>, object: Object) -> Result<Object, Status> {
        if !self.differs || object.gvk().as_ref() != Some(&self.kind.info.gvk) {
            return Ok(object);
        }
        convert(&self.kind, &attributes.call.kind, object).await
    }
}

async fn convert(from: &Served, to: &Served, object: Object) -> Result<Object, Status> {
    let stored = from.strategy.store(object).await?;
    to.strategy.show(stored).await
}
