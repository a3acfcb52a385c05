//! Authorization: whether a caller may do what it asks. Authorizers are asked in turn; the first that
//! has an opinion decides, and none means no.

use crate::request::{Request, Target};
use crate::user::User;

/// What is asked (`k8s.io/apiserver/pkg/authorization/authorizer.Attributes`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attributes {
    /// Who.
    pub user: User,
    /// `get`, `list`, … or an HTTP method, lower case, for a path.
    pub verb: String,
    /// What.
    pub target: Target,
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
        Self { user: user.clone(), verb: request.verb().into(), target: request.target.clone() }
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
