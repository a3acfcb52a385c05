//! Questions of authorization: `authorizer.group('').resource('pods').namespace('a').check('get').allowed()`.

use std::fmt;
use std::rc::Rc;

use super::super::eval::Budget;
use super::super::value::Val;
use super::Outcome;

/// Who answers questions about the user of a request, or about an account.
pub trait Authority: Send + Sync {
    /// What the request itself is about; its verb is left out.
    fn request(&self) -> Question;
    /// The answer.
    fn decide(&self, question: &Question) -> Verdict;
}

/// A question.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Question {
    /// About a service account, by its namespace and its name, instead of the user.
    pub account: Option<(String, String)>,
    /// Of a path that is no resource.
    pub path: String,
    /// Of a resource.
    pub group: String,
    /// Of a resource.
    pub resource: String,
    /// Of a resource.
    pub subresource: String,
    /// Of a resource.
    pub namespace: String,
    /// Of a resource.
    pub name: String,
    /// Of a list or a watch.
    pub fields: String,
    /// Of a list or a watch.
    pub labels: String,
    /// What is to be done.
    pub verb: String,
}

/// An answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verdict {
    /// Whether it is allowed.
    pub allowed: bool,
    /// Why.
    pub reason: String,
    /// What went wrong.
    pub error: String,
}

/// How far a question is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// `authorizer`.
    Authorizer,
    /// `authorizer.path(…)`.
    Path,
    /// `authorizer.group(…)`.
    Group,
    /// `authorizer.group(…).resource(…)`.
    Resource,
    /// What `check(…)` gives.
    Decision,
}

/// A question on its way.
#[derive(Clone)]
pub struct Inquiry<'a> {
    /// Who will answer.
    pub authority: &'a dyn Authority,
    /// How far it is.
    pub stage: Stage,
    /// What is asked so far.
    pub question: Question,
    /// The answer, once there is one.
    pub verdict: Verdict,
}

/// What a check costs, as upstream counts it.
const CHECK: u64 = 350_000;

pub(super) fn call<'a>(name: &str, with: &[Val<'a>], budget: &mut Budget) -> Option<Outcome<'a>> {
    let Some((Val::Inquiry(inquiry), rest)) = with.split_first() else { return None };
    let mut next = Inquiry::clone(inquiry);
    let text = |at: usize| match rest.get(at) {
        Some(Val::Text(text)) => Some(text.to_string()),
        _ => None,
    };
    match (inquiry.stage, name, rest.len()) {
        (Stage::Authorizer, "serviceAccount", 2) => next.question.account = Some((text(0)?, text(1)?)),
        (Stage::Authorizer, "path", 1) => (next.stage, next.question.path) = (Stage::Path, text(0)?),
        (Stage::Authorizer, "group", 1) => (next.stage, next.question.group) = (Stage::Group, text(0)?),
        (Stage::Group, "resource", 1) => (next.stage, next.question.resource) = (Stage::Resource, text(0)?),
        (Stage::Resource, "subresource", 1) => next.question.subresource = text(0)?,
        (Stage::Resource, "namespace", 1) => next.question.namespace = text(0)?,
        (Stage::Resource, "name", 1) => next.question.name = text(0)?,
        (Stage::Resource, "fieldSelector", 1) => next.question.fields = text(0)?,
        (Stage::Resource, "labelSelector", 1) => next.question.labels = text(0)?,
        (Stage::Resource | Stage::Path, "check", 1) => {
            if let Err(error) = budget.spend(CHECK) {
                return Some(Err(error));
            }
            next.question.verb = text(0)?;
            next.verdict = next.authority.decide(&next.question);
            next.stage = Stage::Decision;
        }
        (Stage::Decision, "allowed", 0) => return Some(Ok(Val::Bool(inquiry.verdict.allowed))),
        (Stage::Decision, "errored", 0) => return Some(Ok(Val::Bool(!inquiry.verdict.error.is_empty()))),
        (Stage::Decision, "reason", 0) => return Some(Ok(Val::made(inquiry.verdict.reason.as_str()))),
        (Stage::Decision, "error", 0) => return Some(Ok(Val::made(inquiry.verdict.error.as_str()))),
        _ => return None,
    }
    Some(Ok(Val::Inquiry(Rc::new(next))))
}

// === impl Stage ===

impl Stage {
    /// The name of the type.
    #[must_use]
    pub const fn kind(self) -> &'static str {
        match self {
            Self::Authorizer => "kubernetes.authorization.Authorizer",
            Self::Path => "kubernetes.authorization.PathCheck",
            Self::Group => "kubernetes.authorization.GroupCheck",
            Self::Resource => "kubernetes.authorization.ResourceCheck",
            Self::Decision => "kubernetes.authorization.Decision",
        }
    }
}

// === impl Inquiry ===

impl<'a> Inquiry<'a> {
    /// The value of `authorizer`.
    #[must_use]
    pub fn begin(authority: &'a dyn Authority) -> Val<'a> {
        let (question, verdict) = (Question::default(), Verdict::default());
        Val::Inquiry(Rc::new(Self { authority, stage: Stage::Authorizer, question, verdict }))
    }

    /// `authorizer.requestResource`.
    pub(in crate::cel) fn field(&self, name: &str) -> Option<Val<'a>> {
        let known = self.stage == Stage::Authorizer && name == "requestResource";
        known.then(|| {
            let question = Question { account: self.question.account.clone(), ..self.authority.request() };
            Val::Inquiry(Rc::new(Self { stage: Stage::Resource, question, ..self.clone() }))
        })
    }
}

impl fmt::Debug for Inquiry<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inquiry").field("stage", &self.stage).field("question", &self.question).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cel::{Program, Type, Variables, eval};

    struct Rules;

    impl Authority for Rules {
        fn request(&self) -> Question {
            Question { resource: "pods".into(), namespace: "a".into(), ..Question::default() }
        }

        fn decide(&self, question: &Question) -> Verdict {
            let allowed = question.resource == "pods" && question.verb == "get"
                || question.fields == "a=b" && question.labels == "c=d"
                || question.path == "/healthz";
            let reason = question.account.as_ref().map(|(_, name)| name.clone()).unwrap_or_default();
            Verdict { allowed, reason, error: String::new() }
        }
    }

    #[test]
    fn questions_are_asked_step_by_step() {
        let authorizer = ("authorizer".to_owned(), Type::Named(Stage::Authorizer.kind()));
        let variables = Variables::from([authorizer]);
        let yes = |text: &str| {
            let (program, _) = Program::compile(text, &variables).unwrap_or_else(|why| panic!("{why}"));
            let mut budget = Budget::new(eval::PER_OBJECT);
            let value = program.run(&[("authorizer", Inquiry::begin(&Rules))], &mut budget);
            matches!(value, Ok(Val::Bool(true)))
        };
        assert!(yes("authorizer.group('').resource('pods').namespace('a').name('b').check('get').allowed()"));
        assert!(yes(
            "authorizer.group('').resource('x').fieldSelector('a=b').labelSelector('c=d').check('list').allowed()"
        ));
        assert!(yes("!authorizer.group('').resource('pods').subresource('exec').check('create').allowed()"));
        assert!(yes(
            "authorizer.requestResource.check('get').allowed() && authorizer.path('/healthz').check('get').allowed()"
        ));
        assert!(yes("authorizer.serviceAccount('ns', 'it').requestResource.check('get').reason() == 'it'"));
        assert!(Program::compile("authorizer.check('get')", &variables).is_err());
    }
}
