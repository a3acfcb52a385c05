//! What expressions of policies and conditions of webhooks are told, and their values.

use std::collections::BTreeMap;
use std::rc::Rc;

use nakhoda_api::cel::library::authorizer::Inquiry;
use nakhoda_api::cel::{Budget, RunError, Val, eval};
use nakhoda_api::{GroupVersionResource, Object};
use serde_json::Value;

use super::asker::Asker;
use super::compiled::Expression;
use crate::admission::Attributes;
use crate::admission::webhook::review;
use crate::admission::webhook::view::Matched;

/// What all conditions may cost: a fourth of what other expressions may.
const CONDITIONS: u64 = eval::PER_OBJECT / 4;

/// The circumstances of a request as values.
pub struct Facts {
    values: Vec<(&'static str, Value)>,
    authority: Asker,
}

/// Values in which expressions are evaluated.
pub struct Scope<'a> {
    values: Vec<(&'a str, Val<'a>)>,
    failed: BTreeMap<&'a str, String>,
    budget: Budget,
}

// === impl Facts ===

impl Facts {
    /// Of an object and its predecessor in the version that was matched.
    #[must_use]
    pub fn of(
        attributes: &Attributes<'_>,
        matched: &Matched,
        object: Option<&Object>,
        old: Option<&Object>,
        params: &Value,
    ) -> Self {
        let json = |object: Option<&Object>| object.map_or(Value::Null, |object| object.clone().into_value());
        let call = attributes.call;
        let namespaces = GroupVersionResource::new("", "v1", "namespaces");
        let namespace = match call.namespace() {
            "" => None,
            name => call.pipeline.storage().item(&namespaces, "", name),
        };
        let namespace = namespace.and_then(|item| serde_json::from_slice(item.json()).ok()).unwrap_or_default();
        let values = vec![
            ("object", json(object)),
            ("oldObject", json(old)),
            ("request", review::request(attributes, matched, object)),
            ("params", params.clone()),
            ("namespaceObject", namespace),
        ];
        Self { values, authority: Asker::of(call) }
    }

    /// Whether all conditions hold. One that does not decides, whatever fails besides.
    pub fn hold(&self, conditions: &[Expression], ignores: bool) -> Result<bool, String> {
        if conditions.is_empty() {
            return Ok(true);
        }
        let mut scope = Scope::of(self, CONDITIONS);
        let mut failed = Vec::new();
        for condition in conditions {
            match scope.value(condition) {
                Ok(Val::Bool(false)) => return Ok(false),
                Ok(_) => {}
                Err(why) => failed.push(why),
            }
        }
        match failed.as_slice() {
            [] => Ok(true),
            _ if ignores => Ok(false),
            [one] => Err(one.clone()),
            many => Err(format!("[{}]", many.join(", "))),
        }
    }
}

// === impl Scope ===

impl<'a> Scope<'a> {
    /// With these facts, and within a budget.
    #[must_use]
    pub fn of(facts: &'a Facts, budget: u64) -> Self {
        let values = facts.values.iter().map(|(name, value)| (*name, Val::of(value, None)));
        let values = values.chain([("authorizer", Inquiry::begin(&facts.authority))]).collect();
        Self { values, failed: BTreeMap::new(), budget: Budget::new(budget) }
    }

    /// Adds variables, each of which may name those before it. One that fails lets those fail that name it.
    pub fn define(&mut self, variables: &'a [(String, Expression)]) {
        let mut known = Vec::with_capacity(variables.len());
        self.values.push(("variables", Val::Map(Rc::new(Vec::new()))));
        for (name, expression) in variables {
            match self.value(expression) {
                Ok(value) => known.push((Val::Text(name.as_str().into()), value)),
                Err(why) => {
                    self.failed.insert(name, why);
                }
            }
            if let Some((_, value)) = self.values.last_mut() {
                *value = Val::Map(Rc::new(known.clone()));
            }
        }
    }

    /// The value of an expression.
    pub fn value(&mut self, expression: &'a Expression) -> Result<Val<'a>, String> {
        let outcome = match &expression.program {
            Ok(program) => program.run(&self.values, &mut self.budget),
            Err(why) => Err(RunError::Other(why.clone())),
        };
        outcome.map_err(|error| {
            let why = match &error {
                RunError::Key(name) => self.failed.get(name.as_str()).map_or_else(
                    || error.to_string(),
                    |why| format!("composited variable {name:?} fails to evaluate: {why}"),
                ),
                _ => error.to_string(),
            };
            format!("expression '{}' resulted in error: {why}", expression.text)
        })
    }
}
