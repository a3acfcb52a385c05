//! Evaluation, within a budget.

use std::rc::Rc;

use super::ast::{Each, EachKind, Expr, Node};
use super::library;
use super::value::{Made, Val};

/// What may still be spent: about one for each step, and more for what walks over much.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    left: u64,
}

/// What went wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RunError {
    /// No function takes such values.
    #[error("no such overload")]
    Overload,
    /// A key or field that is not there.
    #[error("no such key: {0}")]
    Key(String),
    /// More was to be spent than there was.
    #[error("operation cancelled: actual cost limit exceeded")]
    Cost,
    /// Anything else.
    #[error("{0}")]
    Other(String),
}

/// What one expression may cost (upstream's `PerCallLimit`).
pub const PER_CALL: u64 = 1_000_000;
/// What all expressions about one object may cost (upstream's `RuntimeCELCostBudget`).
pub const PER_OBJECT: u64 = 10_000_000;

type Outcome<'a> = Result<Val<'a>, RunError>;

struct Run<'a, 'b> {
    scopes: Vec<(&'a str, Val<'a>)>,
    budget: &'b mut Budget,
}

pub(super) fn run<'a>(node: &'a Node, variables: &[(&'a str, Val<'a>)], budget: &mut Budget) -> Outcome<'a> {
    Run { scopes: variables.to_vec(), budget }.node(node)
}

// === impl Budget ===

impl Budget {
    /// So much.
    #[must_use]
    pub const fn new(left: u64) -> Self {
        Self { left }
    }

    /// Takes a part of it.
    pub fn spend(&mut self, cost: u64) -> Result<(), RunError> {
        match self.left.checked_sub(cost) {
            Some(left) => {
                self.left = left;
                Ok(())
            }
            None => {
                self.left = 0;
                Err(RunError::Cost)
            }
        }
    }

    /// What is left.
    #[must_use]
    pub const fn left(&self) -> u64 {
        self.left
    }
}

// === impl Run ===

impl<'a> Run<'a, '_> {
    fn node(&mut self, node: &'a Node) -> Outcome<'a> {
        self.budget.spend(1)?;
        Ok(match &node.expr {
            Expr::Null => Val::Null,
            Expr::Bool(b) => Val::Bool(*b),
            Expr::Int(n) => Val::Int(*n),
            Expr::Uint(n) => Val::Uint(*n),
            Expr::Double(n) => Val::Double(*n),
            Expr::Text(text) => Val::Text(text.as_str().into()),
            Expr::Bytes(bytes) => Val::Bytes(bytes.as_slice().into()),
            Expr::Name(name) => return self.name(name),
            Expr::Select { of, field, optional } => {
                let of = self.node(of)?;
                return select(&of, field, *optional);
            }
            Expr::Has { of, field } => match self.node(of)? {
                Val::Optional(None) => Val::Bool(false),
                Val::Optional(Some(inner)) => Val::Bool(inner.field(field).is_some()),
                of => Val::Bool(of.field(field).is_some_and(|value| !matches!(value, Val::Null) || is_map(&of))),
            },
            Expr::Index { of, key, optional } => {
                let (of, key) = (self.node(of)?, self.node(key)?);
                return index(&of, &key, *optional);
            }
            Expr::Call { name, of, with } => return self.call(name, of.as_deref(), with),
            Expr::List(items) => {
                let mut list = Vec::with_capacity(items.len());
                for (item, optional) in items {
                    match (self.node(item)?, optional) {
                        (Val::Optional(inner), true) => list.extend(inner.map(|inner| (*inner).clone())),
                        (value, _) => list.push(value),
                    }
                }
                Val::list(list)
            }
            Expr::Map(entries) => {
                let mut map = Vec::with_capacity(entries.len());
                for (key, value, optional) in entries {
                    let key = self.node(key)?;
                    match (self.node(value)?, optional) {
                        (Val::Optional(inner), true) => map.extend(inner.map(|inner| (key, (*inner).clone()))),
                        (value, _) => map.push((key, value)),
                    }
                }
                Val::Map(Rc::new(map))
            }
            Expr::Made(name, fields) => return self.made(name, fields),
            Expr::Each(each) => return self.each(each),
            Expr::Bind { name, value, within } => {
                let value = self.node(value)?;
                self.scopes.push((name, value));
                let outcome = self.node(within);
                self.scopes.pop();
                return outcome;
            }
        })
    }

    fn made(&mut self, name: &'a str, given: &'a [(String, Node, bool)]) -> Outcome<'a> {
        let mut fields = Vec::with_capacity(given.len());
        for (field, value, optional) in given {
            match (self.node(value)?, optional) {
                (Val::Optional(inner), true) => fields.extend(inner.map(|inner| (field.as_str(), (*inner).clone()))),
                (value, _) => fields.push((field.as_str(), value)),
            }
        }
        super::mutation::check(name, &fields)?;
        Ok(Val::Made(Rc::new(Made { name, fields })))
    }

    fn name(&self, name: &str) -> Outcome<'a> {
        if let Some((_, value)) = self.scopes.iter().rev().find(|(known, _)| *known == name) {
            return Ok(value.clone());
        }
        let kinds = ["bool", "int", "uint", "double", "string", "bytes", "list", "map", "null_type", "type"];
        kinds
            .into_iter()
            .find(|kind| *kind == name)
            .map(Val::Type)
            .ok_or_else(|| RunError::Other(format!("no such attribute(s): {name}")))
    }

    fn call(&mut self, name: &str, of: Option<&'a Node>, with: &'a [Node]) -> Outcome<'a> {
        match (name, with) {
            ("_&&_", [a, b]) => return self.junction(a, b, false),
            ("_||_", [a, b]) => return self.junction(a, b, true),
            ("_?_:_", [condition, then, otherwise]) => {
                return match self.node(condition)? {
                    Val::Bool(true) => self.node(then),
                    Val::Bool(false) => self.node(otherwise),
                    _ => Err(RunError::Overload),
                };
            }
            _ => {}
        }
        let mut values = Vec::with_capacity(with.len() + 1);
        if let Some(of) = of {
            values.push(self.node(of)?);
        }
        // an alternative is not looked at while there is a value
        if let ("orValue" | "or", [Val::Optional(Some(value))]) = (name, values.as_slice()) {
            return Ok(if name == "or" { values[0].clone() } else { (**value).clone() });
        }
        for node in with {
            values.push(self.node(node)?);
        }
        let size: usize = values.iter().filter_map(Val::size).sum();
        self.budget.spend(size as u64 / 10)?;
        library::call(name, of.is_some(), &values, self.budget)
    }

    /// `&&` and `||`: one side may fail if the other decides.
    fn junction(&mut self, a: &'a Node, b: &'a Node, decides: bool) -> Outcome<'a> {
        let left = self.node(a);
        if matches!(left, Ok(Val::Bool(value)) if value == decides) {
            return left;
        }
        let right = self.node(b);
        match (left, right) {
            (_, Ok(Val::Bool(value))) if value == decides => Ok(Val::Bool(decides)),
            (Ok(Val::Bool(_)), Ok(Val::Bool(value))) => Ok(Val::Bool(value)),
            (Err(error), _) | (Ok(_), Err(error)) => Err(error),
            (Ok(_), Ok(_)) => Err(RunError::Overload),
        }
    }

    fn each(&mut self, each: &'a Each) -> Outcome<'a> {
        let range = self.node(&each.range)?;
        let items = range.items().or_else(|| range.keys()).ok_or(RunError::Overload)?;
        let mut made = Vec::new();
        let (mut count, mut failure) = (0_usize, None);
        for item in items {
            self.budget.spend(1)?;
            self.scopes.push((&each.name, item.clone()));
            let taken = match &each.filter {
                Some(filter) => self.node(filter).and_then(|value| truth(&value)),
                None => Ok(true),
            };
            let outcome = match taken {
                Ok(true) => Some(self.node(&each.step)),
                Ok(false) => None,
                Err(error) => Some(Err(error)),
            };
            self.scopes.pop();
            let Some(outcome) = outcome else { continue };
            match (each.kind, outcome) {
                (EachKind::Map, outcome) => made.push(outcome?),
                (EachKind::Filter, outcome) => {
                    if truth(&outcome?)? {
                        made.push(item);
                    }
                }
                (EachKind::ExistsOne, outcome) => count += usize::from(truth(&outcome?)?),
                (EachKind::All, Ok(Val::Bool(false))) => return Ok(Val::Bool(false)),
                (EachKind::Exists, Ok(Val::Bool(true))) => return Ok(Val::Bool(true)),
                (EachKind::All | EachKind::Exists, Ok(Val::Bool(_))) => {}
                (EachKind::All | EachKind::Exists, Ok(_)) => failure = Some(RunError::Overload),
                (EachKind::All | EachKind::Exists, Err(RunError::Cost)) => return Err(RunError::Cost),
                (EachKind::All | EachKind::Exists, Err(error)) => failure = Some(error),
            }
        }
        match (each.kind, failure) {
            (EachKind::Map | EachKind::Filter, _) => Ok(Val::list(made)),
            (EachKind::ExistsOne, _) => Ok(Val::Bool(count == 1)),
            // nothing decided, so that what failed counts
            (_, Some(error)) => Err(error),
            (EachKind::All, None) => Ok(Val::Bool(true)),
            (EachKind::Exists, None) => Ok(Val::Bool(false)),
        }
    }
}

/// Whether null is a value of the field: in maps it is, in objects it is as if the field were not there.
fn is_map(of: &Val<'_>) -> bool {
    !matches!(of, Val::Object(_, Some(schema)) if schema.additional_properties.is_none())
}

fn truth(value: &Val<'_>) -> Result<bool, RunError> {
    match value {
        Val::Bool(b) => Ok(*b),
        _ => Err(RunError::Overload),
    }
}

fn select<'a>(of: &Val<'a>, field: &str, optional: bool) -> Outcome<'a> {
    if let Val::Optional(inner) = of {
        let found = inner.as_ref().and_then(|inner| inner.field(field));
        return Ok(Val::Optional(found.map(Rc::new)));
    }
    match of.field(field) {
        Some(Val::Null) if optional => Ok(Val::Optional(None)),
        Some(value) if optional => Ok(value.some()),
        Some(value) => Ok(value),
        None if optional => Ok(Val::Optional(None)),
        None if of.keys().is_some() => Err(RunError::Key(field.to_owned())),
        None => Err(RunError::Overload),
    }
}

fn index<'a>(of: &Val<'a>, key: &Val<'a>, optional: bool) -> Outcome<'a> {
    if let Val::Optional(inner) = of {
        let found = inner.as_ref().and_then(|inner| inner.entry(key));
        return Ok(Val::Optional(found.map(Rc::new)));
    }
    match of.entry(key) {
        Some(value) if optional => Ok(value.some()),
        Some(value) => Ok(value),
        None if optional => Ok(Val::Optional(None)),
        None if of.items().is_some() => {
            Err(RunError::Other(format!("index out of bounds: {}", key.printed().unwrap_or_default())))
        }
        None if of.keys().is_some() => Err(RunError::Key(key.printed().unwrap_or_default())),
        None => Err(RunError::Overload),
    }
}
