//! Expressions that change objects: the types `Object`, `Object.spec`, … and `JSONPatch`, of which they make values
//! (`k8s.io/apiserver/pkg/cel/mutation`). No schema stands behind them; each type's name is the path of its fields.

use serde_json::{Map, Value};

use super::value::Made;
use super::{Program, RunError, Type, Val, Variables};

/// What an expression makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mutation {
    /// An `Object`: fields to be merged.
    ApplyConfiguration,
    /// A list of `JSONPatch`: operations.
    JsonPatch,
}

const OBJECT: &str = "Object";
const OPERATION: &str = "JSONPatch";

/// Whether values of the type can be made.
pub(super) fn is_type(name: &str) -> bool {
    name == OPERATION || name == OBJECT || name.strip_prefix(OBJECT).is_some_and(|rest| rest.starts_with('.'))
}

/// The type of a field of such a type.
pub(super) fn field<'s>(of: &str, name: &str) -> Option<Type<'s>> {
    match (of, name) {
        (OPERATION, "op" | "path" | "from") => Some(Type::Text),
        (OPERATION, "value") => Some(Type::Dyn),
        (OPERATION, _) => None,
        _ => Some(Type::Dyn),
    }
}

/// What of a value is only known when it is made.
pub(super) fn check(name: &str, fields: &[(&str, Val<'_>)]) -> Result<(), RunError> {
    let wrong =
        fields.iter().find(|(field, value)| name == OPERATION && *field != "value" && !matches!(value, Val::Text(_)));
    wrong.map_or(Ok(()), |(field, value)| {
        let why = format!("unexpected type {} for JSONPatchType '{field}' field", value.kind());
        Err(RunError::Other(why))
    })
}

// === impl Mutation ===

impl Mutation {
    /// Reads and checks an expression.
    pub fn compile(self, text: &str, variables: &Variables<'_>) -> Result<Program, String> {
        let (program, kind) =
            Program::compile_in(text, variables, true).map_err(|why| format!("compilation failed: {why}"))?;
        match (self, &kind) {
            (Self::ApplyConfiguration, Type::Made(name)) if name == OBJECT => Ok(program),
            (Self::ApplyConfiguration, _) => Err(format!("must evaluate to {OBJECT} but got {kind}")),
            (Self::JsonPatch, Type::List(of)) if of.fits(&Type::Made(OPERATION.into())) => Ok(program),
            (Self::JsonPatch, _) => Err(format!("must evaluate to list({OPERATION}) but got {kind}")),
        }
    }
}

/// The fields that an `Object` sets.
pub fn configuration(value: &Val<'_>) -> Result<Value, String> {
    match value {
        Val::Made(_) => checked(value),
        other => Err(format!("unsupported return type from ApplyConfiguration expression: {}", other.kind())),
    }
}

/// The operations of a list of `JSONPatch`.
pub fn operations(value: &Val<'_>) -> Result<Vec<Value>, String> {
    let mismatch = "type mismatch: JSONPatchType.expression should evaluate to array";
    let items = value.items().ok_or(mismatch)?;
    items
        .iter()
        .map(|item| match item {
            Val::Made(made) if made.name == OPERATION => operation(made),
            _ => Err(format!("{mismatch} of JSONPatch")),
        })
        .collect()
}

fn operation(made: &Made<'_>) -> Result<Value, String> {
    let mut operation = Map::new();
    for (field, value) in &made.fields {
        let json = if *field == "value" { checked(value)? } else { value.json() };
        if *field != "from" || json != "" {
            operation.insert((*field).to_owned(), json);
        }
    }
    Ok(Value::Object(operation))
}

/// The JSON of a value, if the types within it are named by their paths.
fn checked(value: &Val<'_>) -> Result<Value, String> {
    let mut faults = Vec::new();
    if let Val::Made(made) = value {
        misnamed(value, made.name, &mut faults);
    }
    if faults.is_empty() { Ok(value.json()) } else { Err(format!("type mismatch: {}", faults.join("\n"))) }
}

fn misnamed(value: &Val<'_>, path: &str, faults: &mut Vec<String>) {
    match value {
        Val::Made(made) => {
            if made.name != path {
                faults.push(format!(
                    "unexpected type name {:?}, expected {path:?}, which matches field name path from root Object type",
                    made.name
                ));
            }
            for (field, value) in &made.fields {
                misnamed(value, &format!("{path}.{field}"), faults);
            }
        }
        Val::List(items) => items.iter().for_each(|item| misnamed(item, path, faults)),
        Val::Map(entries) => entries.iter().for_each(|(_, item)| misnamed(item, path, faults)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::cel::{Budget, eval};

    fn evaluated(kind: Mutation, text: &str) -> Result<Value, String> {
        let object = json!({"metadata": {"labels": {"a/b": "c"}}, "spec": {"replicas": 2}});
        let variables = Variables::from([("object".to_owned(), Type::Dyn)]);
        let program = kind.compile(text, &variables)?;
        let value = program
            .run(&[("object", Val::of(&object, None))], &mut Budget::new(eval::PER_CALL))
            .map_err(|error| error.to_string())?;
        match kind {
            Mutation::ApplyConfiguration => configuration(&value),
            Mutation::JsonPatch => operations(&value).map(Value::from),
        }
    }

    #[test]
    fn objects_are_made_of_named_types() {
        let text = "Object{spec: Object.spec{replicas: object.spec.replicas + 1, list: [Object.spec.list{a: {'b': 1}}], ?none: optional.none()}}";
        let expected = json!({"spec": {"replicas": 3, "list": [{"a": {"b": 1}}]}});
        assert_eq!(evaluated(Mutation::ApplyConfiguration, text), Ok(expected));
        for (text, why) in [
            ("object", "must evaluate to Object but got dyn"),
            ("Object.spec{}", "must evaluate to Object but got Object.spec"),
            (
                "Object{spec: Object.wrong{}}",
                "type mismatch: unexpected type name \"Object.wrong\", expected \"Object.spec\", which matches field name path from root Object type",
            ),
            (
                "Other{}",
                "compilation failed: ERROR: <input>:1:6: undeclared reference to 'Other' (in container '')\n | Other{}\n | .....^",
            ),
        ] {
            assert_eq!(evaluated(Mutation::ApplyConfiguration, text), Err(why.into()), "{text}");
        }
    }

    #[test]
    fn patches_are_lists_of_operations() {
        let text = "has(object.spec) ? [JSONPatch{op: 'test', path: '/spec/replicas', value: 2}, \
             JSONPatch{op: 'add', path: '/metadata/labels/' + jsonpatch.escapeKey('x/~y'), value: 'z'}] : []";
        let expected = json!([{"op": "test", "path": "/spec/replicas", "value": 2},
            {"op": "add", "path": "/metadata/labels/x~1~0y", "value": "z"}]);
        assert_eq!(evaluated(Mutation::JsonPatch, text), Ok(expected));
        let refused = evaluated(Mutation::JsonPatch, "[JSONPatch{op: 1}]").expect_err("refused");
        assert!(refused.contains("expected type of field 'op' is 'string' but provided type is 'int'"), "{refused}");
        let refused = evaluated(Mutation::JsonPatch, "[1]").expect_err("refused");
        assert_eq!(refused, "must evaluate to list(JSONPatch) but got list(int)");
    }

    #[test]
    fn other_expressions_know_neither_types_nor_functions_of_mutations() {
        for text in ["Object{}", "jsonpatch.escapeKey('a')"] {
            assert!(Program::compile(text, &Variables::new()).is_err(), "{text}");
        }
    }
}
