//! Authorization: whether a caller may do what it asks. Authorizers are asked in turn; the first that
//! has an opinion decides, and none means no. Which there are and in which order says a configuration, which may
//! change while the process runs.

pub mod config;
pub mod follow;
pub mod node;
pub mod rbac;
pub mod webhook;

use std::sync::Arc;

use arc_swap::ArcSwap;
use futures::future::{BoxFuture, FutureExt, ready};
use nakhoda_api::selector::{FieldSelector, LabelSelector};

use crate::request::{Action, Request, Target};
use crate::user::{MASTERS, User};

/// What is asked (`k8s.io/apiserver/pkg/authorization/authorizer.Attributes`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attributes {
    /// Who.
    pub user: User,
    /// `get`, `list`, … or an HTTP method, lower case, for a path.
    pub verb: String,
    /// What. The name of a list or watch that selects by `metadata.name` stands here too, as upstream
    /// has it, so that a right to one named object is a right to follow it.
    pub target: Target,
    /// The field selector of a list, watch or deletecollection; one that cannot be read selects nothing here.
    pub fields: FieldSelector,
    /// The label selector, in the same way.
    pub labels: LabelSelector,
}

/// An opinion.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Yes; the text says why, for the audit log.
    Allow(String),
    /// No, whatever others say.
    Deny(String),
    /// Others may decide; the text says what was missing.
    NoOpinion(String),
}

/// Has opinions.
pub trait Authorizer: Send + Sync {
    /// The opinion on one question. All but webhooks read caches only, so they never wait.
    fn authorize(&self, attributes: &Attributes) -> Decision;

    /// The same, for who can wait.
    fn ask<'a>(&'a self, attributes: &'a Attributes) -> BoxFuture<'a, Decision> {
        ready(self.authorize(attributes)).boxed()
    }

    /// Why the rules of a user are not all told, if they are not.
    fn silent_on_rules(&self, _user: &User) -> Option<&'static str> {
        None
    }
}

/// Asks each authorizer in turn. Cheap to clone; clones change together.
#[derive(Clone)]
pub struct Union(Arc<ArcSwap<Vec<Arc<dyn Authorizer>>>>);

/// Members of `system:masters` may do everything, whatever others say.
pub struct Masters;

/// Nobody may do anything that was not allowed before.
pub struct AlwaysDeny;

// === impl Attributes ===

impl Attributes {
    /// A question without selectors.
    #[must_use]
    pub fn new(user: User, verb: impl Into<String>, target: Target) -> Self {
        let (fields, labels) = (FieldSelector::everything(), LabelSelector::everything());
        Self { user, verb: verb.into(), target, fields, labels }
    }

    /// The question that a request by this user puts.
    #[must_use]
    pub fn of(request: &Request, user: &User) -> Self {
        let list = match &request.action {
            Action::List(list) | Action::DeleteCollection(_, list) => Some(list),
            Action::Watch(watch) => Some(&watch.list),
            _ => None,
        };
        let mut question = Self::new(user.clone(), request.verb(), request.target.clone());
        if let Some(list) = list {
            question = question.selecting(&list.fields, &list.labels);
        }
        let name = question.selected("metadata.name").map(str::to_owned);
        if let (Target::Resource(resource), Some(name)) = (&mut question.target, name) {
            resource.name = name;
        }
        question
    }

    /// The same of what selectors select. One that cannot be read restricts nothing, and the request fails later.
    #[must_use]
    pub fn selecting(self, fields: &str, labels: &str) -> Self {
        let fields = FieldSelector::parse(fields).unwrap_or_default();
        Self { fields, labels: LabelSelector::parse(labels).unwrap_or_default(), ..self }
    }

    /// The value that the field selector asks of a field, if it asks for exactly one.
    #[must_use]
    pub fn selected(&self, field: &str) -> Option<&str> {
        self.fields.required(field).filter(|value| !value.is_empty())
    }
}

// === impl Decision ===

impl Decision {
    /// Whether it is a yes.
    #[must_use]
    pub const fn is_allowed(&self) -> bool {
        matches!(self, Self::Allow(_))
    }

    /// The text with it.
    #[must_use]
    pub fn reason(&self) -> &str {
        match self {
            Self::Allow(reason) | Self::Deny(reason) | Self::NoOpinion(reason) => reason,
        }
    }
}

// === impl Union ===

impl Union {
    /// These, in this order.
    #[must_use]
    pub fn new(chain: Vec<Arc<dyn Authorizer>>) -> Self {
        Self(Arc::new(ArcSwap::from_pointee(chain)))
    }

    /// Puts others in their place.
    pub fn replace(&self, chain: Vec<Arc<dyn Authorizer>>) {
        self.0.store(Arc::new(chain));
    }

    /// Why the rules of a user are not all told, each authorizer that says so.
    #[must_use]
    pub fn silent_on_rules(&self, user: &User) -> Vec<&'static str> {
        self.0.load().iter().filter_map(|authorizer| authorizer.silent_on_rules(user)).collect()
    }
}

impl Authorizer for Union {
    fn authorize(&self, attributes: &Attributes) -> Decision {
        let mut reasons = Vec::new();
        for authorizer in self.0.load_full().iter() {
            if let Some(decided) = collect(&mut reasons, authorizer.authorize(attributes)) {
                return decided;
            }
        }
        Decision::NoOpinion(reasons.join("\n"))
    }

    fn ask<'a>(&'a self, attributes: &'a Attributes) -> BoxFuture<'a, Decision> {
        async move {
            let mut reasons = Vec::new();
            for authorizer in self.0.load_full().iter() {
                if let Some(decided) = collect(&mut reasons, authorizer.ask(attributes).await) {
                    return decided;
                }
            }
            Decision::NoOpinion(reasons.join("\n"))
        }
        .boxed()
    }
}

/// The decision, unless it is none; then what was missing is kept.
fn collect(reasons: &mut Vec<String>, decision: Decision) -> Option<Decision> {
    let Decision::NoOpinion(reason) = decision else { return Some(decision) };
    if !reason.is_empty() {
        reasons.push(reason);
    }
    None
}

// === impl Masters, AlwaysDeny ===

impl Authorizer for Masters {
    fn authorize(&self, attributes: &Attributes) -> Decision {
        if attributes.user.is_in(MASTERS) { Decision::Allow(String::new()) } else { Decision::NoOpinion(String::new()) }
    }
}

impl Authorizer for AlwaysDeny {
    fn authorize(&self, _: &Attributes) -> Decision {
        Decision::NoOpinion("Everything is forbidden.".into())
    }
}
