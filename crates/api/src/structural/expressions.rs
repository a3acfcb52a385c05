//! `x-kubernetes-validations`: rules in CEL, compiled once for a schema and evaluated for each write
//! (`pkg/apiserver/schema/cel`).
//!
//! Absent: the estimate of what rules may cost, by which upstream refuses definitions; what they do cost is bounded.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::definition::Place;
use super::{Rule, Schema, go, lists, path};
use crate::cel::eval::{PER_CALL, PER_OBJECT};
use crate::cel::{Budget, CompileError, Program, RunError, Type, Val, Variables};
use crate::field::{Errors, Fault, Path};

const SELF: &str = "self";
const OLD: &str = "oldSelf";
/// Longer messages are not told.
const MESSAGE_MAX: usize = 5120;

/// The rules of a schema and of all below it.
#[derive(Clone, Debug, Default)]
pub struct Expressions {
    own: Vec<Compiled>,
    properties: BTreeMap<String, Self>,
    items: Option<Box<Self>>,
    values: Option<Box<Self>>,
}

#[derive(Clone, Debug)]
struct Compiled {
    rule: Rule,
    program: Result<Program, CompileError>,
    message: Option<Program>,
    field: String,
    uses_old: bool,
}

/// What is looked at: a value, what it was before, and its schema.
#[derive(Clone, Copy)]
struct Seen<'a> {
    value: &'a Value,
    old: Option<&'a Value>,
    schema: &'a Schema,
}

// === impl Expressions ===

impl Expressions {
    /// Compiles the rules of a schema of whole objects; nothing if there are none.
    #[must_use]
    pub fn of(schema: &Schema) -> Option<Self> {
        Self::compile(schema, true)
    }

    fn compile(schema: &Schema, root: bool) -> Option<Self> {
        let below = |schema: &Schema| Self::compile(schema, false).map(Box::new);
        let properties =
            schema.properties.iter().filter_map(|(name, property)| Some((name.clone(), *below(property)?))).collect();
        let all = Self {
            own: schema.rules.iter().map(|rule| Compiled::new(rule, schema, root)).collect(),
            properties,
            items: schema.item().and_then(below),
            values: schema.value().and_then(below),
        };
        let none = all.own.is_empty() && all.properties.is_empty() && all.items.is_none() && all.values.is_none();
        (!none).then_some(all)
    }

    /// What the rules say of a value; `old` is what it was before an update.
    #[must_use]
    pub fn check(&self, value: &Value, old: Option<&Value>, schema: &Schema) -> Errors {
        let mut errors = Errors::default();
        let mut budget = Budget::new(PER_OBJECT);
        self.walk(Seen { value, old, schema }, &Path::default(), &mut budget, &mut errors);
        errors
    }

    /// False once nothing more is to be evaluated.
    fn walk(&self, seen: Seen<'_>, at: &Path, budget: &mut Budget, errors: &mut Errors) -> bool {
        if seen.value.is_null() {
            return true;
        }
        if !self.own.iter().all(|rule| rule.check(seen, at, budget, errors)) {
            return false;
        }
        match seen.value {
            Value::Object(map) => map.iter().all(|(key, value)| {
                let old = seen.old.and_then(|old| old.get(key));
                match (self.properties.get(key), seen.schema.properties.get(key)) {
                    (Some(rules), Some(schema)) => {
                        rules.walk(Seen { value, old, schema }, &at.child(key), budget, errors)
                    }
                    (None, Some(_)) => true,
                    (_, None) => match (&self.values, seen.schema.value()) {
                        (Some(rules), Some(schema)) => {
                            rules.walk(Seen { value, old, schema }, &at.key(key), budget, errors)
                        }
                        _ => true,
                    },
                }
            }),
            Value::Array(items) => {
                let (Some(rules), Some(schema)) = (&self.items, seen.schema.item()) else { return true };
                let old = seen.old.and_then(Value::as_array).filter(|_| seen.schema.list_type() == "map");
                items.iter().enumerate().all(|(index, value)| {
                    let key = lists::key(value, &seen.schema.map_keys);
                    let same = |item: &&Value| lists::key(item, &seen.schema.map_keys) == key;
                    let old = old.and_then(|old| old.iter().find(same));
                    rules.walk(Seen { value, old, schema }, &at.index(index), budget, errors)
                })
            }
            _ => true,
        }
    }
}

// === impl Compiled ===

impl Compiled {
    fn new(rule: &Rule, schema: &Schema, root: bool) -> Self {
        let variables = variables(rule, schema, root);
        let program = Program::compile(&rule.rule, &variables).map(|(program, _)| program);
        let message = Program::compile(&rule.message_expression, &variables).map(|(program, _)| program).ok();
        let uses_old = program.as_ref().is_ok_and(|program| program.uses(OLD));
        Self { rule: rule.clone(), program, message, field: normalised(&rule.field_path, schema), uses_old }
    }

    /// False once nothing more is to be evaluated.
    fn check(&self, seen: Seen<'_>, at: &Path, budget: &mut Budget, errors: &mut Errors) -> bool {
        let optional = self.rule.optional_old_self == Some(true);
        if self.uses_old && seen.old.is_none() && !optional {
            return true;
        }
        let program = match &self.program {
            Ok(program) => program,
            Err(why) => {
                let why = format!("rule compile error: compilation failed: {why}");
                errors.invalid(at, seen.schema.kind.as_str(), why);
                return true;
            }
        };
        match run(program, seen, optional, budget) {
            Ok(Val::Bool(true)) => true,
            Ok(_) => {
                self.tell(seen, at, optional, budget, errors);
                true
            }
            Err(error) => {
                let text = self.text();
                let (why, on) = match (&error, budget.left()) {
                    (RunError::Cost, 0) => (
                        "validation failed due to running out of cost budget, no further validation rules will be run"
                            .to_owned(),
                        false,
                    ),
                    (RunError::Cost, _) => (
                        format!(
                            "'{error}': no further validation rules will be run due to call cost exceeds limit for rule: {text}"
                        ),
                        false,
                    ),
                    (RunError::Overload, _) => (
                        format!(
                            "'{error}': call arguments did not match a supported operator, function or macro signature for rule: {text}"
                        ),
                        true,
                    ),
                    _ => (format!("{error} evaluating rule: {text}"), true),
                };
                errors.invalid(at, seen.schema.kind.as_str(), why);
                on
            }
        }
    }

    /// Tells that the rule does not hold, unless an update left the value as it was.
    fn tell(&self, seen: Seen<'_>, at: &Path, optional: bool, budget: &mut Budget, errors: &mut Errors) {
        if !self.uses_old && seen.old.is_some_and(|old| go::equal(old, seen.value)) {
            return;
        }
        let made = self.message.as_ref().and_then(|message| run(message, seen, optional, budget).ok());
        let made = made.and_then(|made| made.printed()).map(|text| text.trim().to_owned());
        let made = made.filter(|text| !text.is_empty() && !text.contains('\n') && text.len() <= MESSAGE_MAX);
        let why = made.unwrap_or_else(|| match self.rule.message.trim() {
            "" => format!("failed rule: {}", self.text()),
            message => message.to_owned(),
        });
        let at = if self.field.is_empty() { at.clone() } else { at.child(&self.field) };
        let whole = matches!(seen.schema.kind.as_str(), "object" | "array");
        match self.rule.reason.as_deref() {
            Some("FieldValueForbidden") => errors.forbidden(&at, why),
            Some("FieldValueRequired") => errors.required(&at, why),
            Some("FieldValueDuplicate") => errors.duplicate(&at, seen.value.clone()),
            _ if whole => errors.push(&at, Fault::Unfit, why),
            _ => errors.invalid(&at, seen.value.clone(), why),
        }
    }

    /// How the rule is named in faults of its own.
    fn text(&self) -> &str {
        if self.rule.message.is_empty() { self.rule.rule.trim() } else { self.rule.message.trim() }
    }
}

fn run<'a>(program: &'a Program, seen: Seen<'a>, optional: bool, budget: &mut Budget) -> Result<Val<'a>, RunError> {
    let of = |value| Val::of(value, Some(seen.schema));
    let old = match (seen.old, optional) {
        (Some(old), true) => of(old).some(),
        (Some(old), false) => of(old),
        (None, _) => Val::Optional(None),
    };
    let allowed = budget.left().min(PER_CALL);
    let mut call = Budget::new(allowed);
    let outcome = program.run(&[(SELF, of(seen.value)), (OLD, old)], &mut call);
    // what is spent was there
    let _ = budget.spend(allowed - call.left());
    outcome
}

fn variables<'s>(rule: &Rule, schema: &'s Schema, root: bool) -> Variables<'s> {
    let own = Type::of(schema, root);
    let old = if rule.optional_old_self == Some(true) { Type::Optional(Box::new(own.clone())) } else { own.clone() };
    Variables::from([(SELF.to_owned(), own), (OLD.to_owned(), old)])
}

/// A field's path as faults print it: `.a['b']` is `a.b` or `a[b]`.
fn normalised(text: &str, schema: &Schema) -> String {
    let Ok(steps) = path::parse(text) else { return String::new() };
    let (mut at, mut out) = (Some(schema), Path::default());
    for step in steps {
        let path::Step::Name(name) = step else { continue };
        let property = at.and_then(|schema| schema.properties.get(&name));
        out = if property.is_some() { out.child(&name) } else { out.key(&name) };
        at = property.or_else(|| at.and_then(Schema::value));
    }
    out.as_str().to_owned()
}

/// Judges the rules of one schema of a definition.
pub fn judge(schema: &Schema, at: &Path, place: &Place<'_>, errors: &mut Errors) {
    for (index, rule) in schema.rules.iter().enumerate() {
        let at = at.child("x-kubernetes-validations").index(index);
        let variables = variables(rule, schema, place.root);
        let printed = || {
            json!({"Rule": rule.rule, "Message": rule.message, "MessageExpression": rule.message_expression,
                "Reason": rule.reason, "FieldPath": rule.field_path, "OptionalOldSelf": rule.optional_old_self})
        };
        let uses_old = match Program::compile(&rule.rule, &variables) {
            Ok((program, kind)) => {
                if !kind.fits(&Type::Bool) {
                    errors.invalid(&at.child("rule"), printed(), "cel expression must evaluate to a bool");
                }
                program.uses(OLD)
            }
            Err(why) => {
                errors.invalid(&at.child("rule"), printed(), format!("compilation failed: {why}"));
                continue;
            }
        };
        if !rule.message_expression.trim().is_empty() {
            let at = at.child("messageExpression");
            match Program::compile(&rule.message_expression, &variables) {
                Ok((_, kind)) if kind.fits(&Type::Text) => {}
                Ok(_) => errors.invalid(&at, printed(), "messageExpression must evaluate to a string"),
                Err(why) => errors.invalid(&at, printed(), format!("messageExpression compilation failed: {why}")),
            }
        }
        if let (true, Some(place)) = (uses_old, &place.uncorrelated) {
            let why = format!("oldSelf cannot be used on the uncorrelatable portion of the schema within {place}");
            errors.invalid(&at.child("rule"), rule.rule.as_str(), why);
        } else if let (false, Some(optional)) = (uses_old, rule.optional_old_self) {
            errors.invalid(&at.child("optionalOldSelf"), optional, "may not be set if oldSelf is not used in rule");
        }
    }
}

/// Whether what was found keeps rules from being evaluated.
#[must_use]
pub fn is_blocked(errors: &Errors) -> bool {
    errors.iter().any(|error| {
        matches!(
            error.fault,
            Fault::NotSupported(_) | Fault::Required | Fault::TooLong | Fault::TooMany(_) | Fault::TypeInvalid(_)
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schema() -> Schema {
        Schema::parse(&json!({"type": "object", "properties": {"spec": {"type": "object",
            "x-kubernetes-validations": [
                {"rule": "!has(self.low) || self.low <= self.high", "message": "low over high", "fieldPath": ".low"},
                {"rule": "self.high < 90", "messageExpression": "'not ' + 'under 90'", "reason": "FieldValueForbidden"},
            ],
            "properties": {"low": {"type": "integer"}, "high": {"type": "integer"},
                "fixed": {"type": "string", "x-kubernetes-validations": [{"rule": "self == oldSelf", "message": "fixed is fixed"}]}},
        }}}))
        .expect("a schema")
    }

    fn told(new: Value, old: Option<Value>) -> String {
        let schema = schema();
        let wrap = |spec: Value| json!({"spec": spec});
        Expressions::of(&schema).expect("rules").check(&wrap(new), old.map(wrap).as_ref(), &schema).to_string()
    }

    #[test]
    fn rules_are_told_where_and_how_they_say() {
        assert_eq!(told(json!({"low": 1, "high": 2}), None), "");
        assert_eq!(told(json!({"low": 5, "high": 2}), None), "spec.low: Invalid value: low over high");
        assert_eq!(told(json!({"high": 95}), None), "spec: Forbidden: not under 90");
        assert_eq!(
            told(json!({}), None),
            "spec: Invalid value: \"object\": no such key: high evaluating rule: self.high < 90"
        );
    }

    #[test]
    fn old_values_are_compared_and_old_faults_forgiven() {
        let old = json!({"high": 1, "fixed": "a"});
        let changed = json!({"high": 1, "fixed": "b"});
        assert_eq!(told(changed, Some(old.clone())), "spec.fixed: Invalid value: \"b\": fixed is fixed");
        assert_eq!(told(old.clone(), Some(old)), "");
        assert_eq!(told(json!({"high": 95}), Some(json!({"high": 95}))), "");
    }

    #[test]
    fn a_definitions_rules_are_compiled() {
        let schema = Schema::parse(&json!({"type": "object", "x-kubernetes-validations": [
            {"rule": "size(self.a)"}, {"rule": "true", "optionalOldSelf": true}],
            "properties": {"a": {"type": "string"}}}))
        .expect("a schema");
        let place = Place { root: true, no_default: None, in_meta: false, uncorrelated: None, nested: false };
        let mut errors = Errors::default();
        judge(&schema, &Path::new("s"), &place, &mut errors);
        let told = errors.to_string();
        assert!(told.contains("cel expression must evaluate to a bool"), "{told}");
        assert!(
            told.contains("s.x-kubernetes-validations[1].optionalOldSelf: Invalid value: true: may not be set"),
            "{told}"
        );
    }
}
