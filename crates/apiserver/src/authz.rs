//! Authorization: whether a caller may do what it asks. Authorizers are asked in turn; the first that
//! has an opinion decides, and none means no.

pub mod follow;
pub mod node;
pub mod rbac;

use crate::request::{Action, Request, Target};
use crate::user::User;

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
    /// The field selector of a list, watch or deletecollection.
    pub fields: String,
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

/// Has opinions. Reads caches only, so it never waits.
pub trait Authorizer: Send + Sync {
    /// The opinion on one question.
    fn authorize(&self, attributes: &Attributes) -> Decision;
}

/// Asks each authorizer in turn.
pub struct Union(pub Vec<Box<dyn Authorizer>>);

// === impl Attributes ===

impl Attributes {
    /// The question that a request by this user puts.
    #[must_use]
    pub fn of(request: &Request, user: &User) -> Self {
        let fields = match &request.action {
            Action::List(list) | Action::DeleteCollection(_, list) => list.fields.clone(),
            Action::Watch(watch) => watch.list.fields.clone(),
            _ => String::new(),
        };
        let mut target = request.target.clone();
        if let (Target::Resource(resource), Some(name)) = (&mut target, selected(&fields, "metadata.name")) {
            resource.name = name.into();
        }
        Self { user: user.clone(), verb: request.verb().into(), target, fields }
    }

    /// The value that the field selector asks of a field, if it asks for exactly one.
    #[must_use]
    pub fn selected(&self, field: &str) -> Option<&str> {
        selected(&self.fields, field)
    }
}

fn selected<'a>(fields: &'a str, field: &str) -> Option<&'a str> {
    fields.split(',').find_map(|term| {
        let (name, value) = term.split_once('=')?;
        let value = value.strip_prefix('=').unwrap_or(value);
        (name == field && !value.is_empty()).then_some(value)
    })
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

impl Authorizer for Union {
    fn authorize(&self, attributes: &Attributes) -> Decision {
        let mut reasons = Vec::new();
        for authorizer in &self.0 {
            match authorizer.authorize(attributes) {
                Decision::NoOpinion(reason) if reason.is_empty() => {}
                Decision::NoOpinion(reason) => reasons.push(reason),
                decided => return decided,
            }
        }
        Decision::NoOpinion(reasons.join(", "))
    }
}
