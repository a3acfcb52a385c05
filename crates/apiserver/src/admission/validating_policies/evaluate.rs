//! What a policy says of a request: its validations, and the messages of those that do not hold.

use nakhoda_api::cel::{Val, eval};

use crate::admission::policy::compiled::{Expression, Policy};
use crate::admission::policy::facts::{Facts, Scope};
use crate::admission::policy::spec::Validation;

/// Longer messages that expressions make are not told.
const MESSAGE_MAX: usize = 5 * 1024;

/// A validation that does not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Decision {
    /// The reason of the refusal; empty: `Invalid`.
    pub(super) reason: String,
    /// What is told.
    pub(super) message: String,
    /// Which validation it is of the policy's.
    pub(super) index: usize,
}

/// All that does not hold.
#[must_use]
pub(super) fn decide(policy: &Policy, facts: &Facts) -> Vec<Decision> {
    let ignores = policy.spec.ignores();
    let fault = |message: String| Decision { reason: String::new(), message, index: 0 };
    match facts.hold(&policy.conditions, ignores) {
        Ok(true) => {}
        Ok(false) => return Vec::new(),
        Err(why) => return vec![fault(why)],
    }
    let mut scope = Scope::of(facts, eval::PER_OBJECT);
    scope.define(&policy.variables);
    let mut decisions = Vec::new();
    let validations = policy.spec.validations.iter().zip(&policy.validations).enumerate();
    for (index, (validation, (expression, message))) in validations {
        match scope.value(expression) {
            Ok(Val::Bool(true)) => {}
            Ok(_) => {
                let message = told(validation, message.as_ref(), &mut scope);
                decisions.push(Decision { reason: validation.reason.clone(), message, index });
            }
            Err(_) if ignores => {}
            Err(why) => decisions.push(Decision { index, ..fault(why) }),
        }
    }
    decisions
}

/// Texts for the audit log by their keys, and those that cannot be made: they deny the request whatever a binding says.
pub(super) fn annotate(policy: &Policy, facts: &Facts) -> (Vec<(String, String)>, Vec<Decision>) {
    let (mut told, mut faults) = (Vec::new(), Vec::new());
    if policy.annotations.is_empty() || !matches!(facts.hold(&policy.conditions, false), Ok(true)) {
        return (told, faults);
    }
    let mut scope = Scope::of(facts, eval::PER_OBJECT);
    scope.define(&policy.variables);
    for (annotation, expression) in policy.spec.audit_annotations.iter().zip(&policy.annotations) {
        let fault = match scope.value(expression) {
            Ok(Val::Text(text)) => {
                told.push((format!("{}/{}", policy.name, annotation.key), text.trim().to_owned()));
                continue;
            }
            Ok(Val::Null) => continue,
            Ok(other) => format!(
                "valueExpression '{}' resulted in unsupported return type: {}. Return type must be either string or null.",
                expression.text,
                other.kind()
            ),
            Err(why) => why,
        };
        faults.push(Decision { reason: String::new(), message: fault, index: 0 });
    }
    if policy.spec.ignores() {
        faults.clear();
    }
    (told, faults)
}

fn told<'a>(validation: &Validation, expression: Option<&'a Expression>, scope: &mut Scope<'a>) -> String {
    let made = match expression.map(|expression| scope.value(expression)) {
        Some(Ok(Val::Text(text))) => text.trim().to_owned(),
        Some(Err(why)) => {
            tracing::debug!(why, "a message cannot be made");
            String::new()
        }
        _ => String::new(),
    };
    if !made.is_empty() && made.len() <= MESSAGE_MAX && !made.contains('\n') {
        return made;
    }
    match validation.message.trim() {
        "" => format!("failed expression: {}", validation.expression.trim()),
        message => message.to_owned(),
    }
}
