//! Policies with their expressions compiled, kept as long as they stay what they are.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

use nakhoda_api::cel::mutation::Mutation;
use nakhoda_api::cel::{Program, Variables};
use nakhoda_store::cache::Item;
use parking_lot::Mutex;

use super::spec::{self, PolicySpec};
use crate::admission::webhook::hook::Condition;
use crate::rules::cel;

/// So many are kept; more are compiled again for each request.
const KEPT: usize = 1024;

/// What expressions may name.
const KNOWN: [&str; 7] = ["object", "oldObject", "request", "params", "authorizer", "namespaceObject", "variables"];

/// By the uid and the revision of the policy.
type Known = HashMap<(String, u64), Arc<Policy>>;

static COMPILED: LazyLock<Mutex<Known>> = LazyLock::new(Mutex::default);

/// A policy.
pub struct Policy {
    /// Its name.
    pub name: String,
    /// As it was written.
    pub spec: PolicySpec,
    /// What must hold besides.
    pub conditions: Vec<Expression>,
    /// What expressions may name, in order.
    pub variables: Vec<(String, Expression)>,
    /// What must hold, and what makes the message otherwise.
    pub validations: Vec<(Expression, Option<Expression>)>,
    /// What is told of requests.
    pub annotations: Vec<Expression>,
    /// What is changed.
    pub mutations: Vec<(Mutation, Expression)>,
}

/// An expression.
#[derive(Debug)]
pub struct Expression {
    /// As it was written.
    pub text: String,
    /// What runs; a text if it is none.
    pub program: Result<Program, String>,
}

// === impl Expression ===

impl Expression {
    /// Compiles one; what it names has no types.
    #[must_use]
    pub fn of(text: &str) -> Self {
        let program = Program::compile(text, &variables()).map(|(program, _)| program);
        Self { text: text.to_owned(), program: program.map_err(|why| format!("compilation failed: {why}")) }
    }

    /// Compiles conditions.
    #[must_use]
    pub fn all(conditions: &[Condition]) -> Vec<Self> {
        conditions.iter().map(|condition| Self::of(&condition.expression)).collect()
    }

    fn mutation(mutation: &spec::Mutation) -> (Mutation, Self) {
        let (kind, change) = match mutation.patch_type.as_str() {
            "JSONPatch" => (Mutation::JsonPatch, &mutation.json_patch),
            _ => (Mutation::ApplyConfiguration, &mutation.apply_configuration),
        };
        let text = change.as_ref().map(|change| change.expression.clone()).unwrap_or_default();
        (kind, Self { program: kind.compile(&text, &variables()), text })
    }
}

fn variables() -> Variables<'static> {
    cel::variables(&KNOWN)
}

// === impl Policy ===

impl Policy {
    /// The policy of an item; nothing if it cannot be read.
    #[must_use]
    pub fn of(item: &Item) -> Option<Arc<Self>> {
        let key = (item.uid().to_owned(), item.revision);
        if let Some(known) = COMPILED.lock().get(&key) {
            return Some(known.clone());
        }
        let read = super::read::<spec::Policy>(item).and_then(Arc::into_inner)?;
        let policy = Arc::new(Self::compile(read));
        let mut all = COMPILED.lock();
        if all.len() >= KEPT {
            all.clear();
        }
        all.retain(|(uid, _), _| *uid != key.0);
        all.insert(key, policy.clone());
        Some(policy)
    }

    fn compile(spec::Policy { metadata, spec }: spec::Policy) -> Self {
        let optional = |text: &str| (!text.is_empty()).then(|| Expression::of(text));
        Self {
            name: metadata.name,
            conditions: Expression::all(&spec.match_conditions),
            variables: spec.variables.iter().map(|v| (v.name.clone(), Expression::of(&v.expression))).collect(),
            validations: spec
                .validations
                .iter()
                .map(|v| (Expression::of(&v.expression), optional(&v.message_expression)))
                .collect(),
            annotations: spec.audit_annotations.iter().map(|a| Expression::of(&a.value_expression)).collect(),
            mutations: spec.mutations.iter().map(Expression::mutation).collect(),
            spec,
        }
    }
}
