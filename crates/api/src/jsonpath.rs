//! kubectl's dialect of JSONPath: text around `{…}`, `{range …}{end}`, `{"\n"}`, filters, slices,
//! `..` (`k8s.io/client-go/util/jsonpath`).

mod parse;

use serde_json::Value;

/// What a second `..` and each further one in a path leads to at most: they find values again and again. All other
/// steps lead to a value of the document once.
const MOST: usize = 100_000;

/// A template.
#[derive(Clone, Debug, PartialEq)]
pub struct Template(Vec<Part>);

#[derive(Clone, Debug, PartialEq)]
enum Part {
    Text(String),
    Path(Path),
    Range(Path, Vec<Self>),
}

/// A template that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("error parsing jsonpath {template}: {why}")]
pub struct TemplateError {
    /// It.
    pub template: String,
    /// Why not.
    pub why: String,
}

/// Steps from the root, or from the current item.
type Path = Vec<Step>;

#[derive(Clone, Debug, PartialEq)]
enum Step {
    Root,
    Field(String),
    Everything,
    Descend,
    Slice(Option<i64>, Option<i64>, i64),
    Index(i64),
    Filter(Path, Compare, Operand),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Compare {
    Exists,
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

#[derive(Clone, Debug, PartialEq)]
enum Operand {
    Value(Value),
    Path(Path),
}

// === impl Template ===

impl Template {
    /// Reads a template; one without braces is a path.
    pub fn parse(text: &str) -> Result<Self, TemplateError> {
        let text = if text.contains('{') { text.to_owned() } else { format!("{{{text}}}") };
        parse::template(&text).map(Self).map_err(|why| TemplateError { template: text, why })
    }

    /// What it says of a value.
    #[must_use]
    pub fn text(&self, root: &Value) -> String {
        let mut out = String::new();
        write(&self.0, root, root, &mut out);
        out
    }

    /// The first value that its first path leads to.
    #[must_use]
    pub fn first<'a>(&self, root: &'a Value) -> Option<&'a Value> {
        self.0.iter().find_map(|part| match part {
            Part::Path(path) => walk(path, root, root).into_iter().next(),
            Part::Text(_) | Part::Range(..) => None,
        })
    }
}

fn write(parts: &[Part], root: &Value, current: &Value, out: &mut String) {
    for part in parts {
        match part {
            Part::Text(text) => out.push_str(text),
            Part::Path(path) => {
                let found: Vec<String> = walk(path, root, current).into_iter().map(printed).collect();
                out.push_str(&found.join(" "));
            }
            Part::Range(path, inner) => {
                for item in walk(path, root, current) {
                    write(inner, root, item, out);
                }
            }
        }
    }
}

/// A value as templates print it.
#[must_use]
pub fn printed(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

fn walk<'a>(path: &[Step], root: &'a Value, current: &'a Value) -> Vec<&'a Value> {
    let (mut found, mut descended) = (vec![current], false);
    for step in path {
        let most = if descended && *step == Step::Descend { MOST } else { usize::MAX };
        found = found.into_iter().flat_map(|v| take(step, root, v)).take(most).collect();
        descended |= *step == Step::Descend;
    }
    found
}

fn take<'a>(step: &Step, root: &'a Value, value: &'a Value) -> Vec<&'a Value> {
    match step {
        Step::Root => vec![root],
        Step::Field(name) => value.get(name).into_iter().collect(),
        Step::Everything => children(value),
        Step::Descend => descendants(value),
        Step::Index(index) => {
            let items = value.as_array().map(Vec::as_slice).unwrap_or_default();
            at(*index, items.len()).and_then(|i| items.get(i)).into_iter().collect()
        }
        Step::Slice(from, to, step) => slice(value, *from, *to, *step),
        Step::Filter(path, compare, operand) => {
            let items = value.as_array().into_iter().flatten();
            items.filter(|item| holds(path, *compare, operand, root, item)).collect()
        }
    }
}

fn children(value: &Value) -> Vec<&Value> {
    match value {
        Value::Array(items) => items.iter().collect(),
        Value::Object(fields) => fields.values().collect(),
        _ => Vec::new(),
    }
}

fn descendants(value: &Value) -> Vec<&Value> {
    let mut all = vec![value];
    for child in children(value) {
        all.extend(descendants(child));
    }
    all
}

/// A negative index counts from the end.
fn at(index: i64, length: usize) -> Option<usize> {
    let length = i64::try_from(length).ok()?;
    usize::try_from(if index < 0 { index + length } else { index }).ok()
}

fn slice(value: &Value, from: Option<i64>, to: Option<i64>, step: i64) -> Vec<&Value> {
    let items = value.as_array().map(Vec::as_slice).unwrap_or_default();
    let bound = |index: Option<i64>, default: usize| match index {
        Some(index) => at(index, items.len()).unwrap_or(0).min(items.len()),
        None => default,
    };
    let (from, to) = (bound(from, 0), bound(to, items.len()));
    let step = usize::try_from(step).unwrap_or(1).max(1);
    items.get(from..to.max(from)).unwrap_or_default().iter().step_by(step).collect()
}

fn holds(path: &[Step], compare: Compare, operand: &Operand, root: &Value, item: &Value) -> bool {
    let found = walk(path, root, item);
    let Some(left) = found.first() else { return false };
    let right = match operand {
        Operand::Value(value) => Some(value),
        Operand::Path(path) => walk(path, root, item).first().copied(),
    };
    let order = right.and_then(|right| order(left, right));
    match compare {
        Compare::Exists => true,
        Compare::Equal => order.is_some_and(|o| o.is_eq()),
        Compare::NotEqual => !order.is_some_and(|o| o.is_eq()),
        Compare::Less => order.is_some_and(|o| o.is_lt()),
        Compare::LessOrEqual => order.is_some_and(|o| o.is_le()),
        Compare::Greater => order.is_some_and(|o| o.is_gt()),
        Compare::GreaterOrEqual => order.is_some_and(|o| o.is_ge()),
    }
}

fn order(left: &Value, right: &Value) -> Option<std::cmp::Ordering> {
    match (left, right) {
        (Value::String(a), Value::String(b)) => Some(a.cmp(b)),
        (Value::Number(a), Value::Number(b)) => a.as_f64()?.partial_cmp(&b.as_f64()?),
        (Value::Bool(a), Value::Bool(b)) => Some(a.cmp(b)),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
