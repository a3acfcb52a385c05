//! The Common Expression Language as Kubernetes uses it: rules of custom resources, conditions, policies.
//!
//! [`Program::compile`] reads and type-checks an expression, in the words of upstream's compiler where a client sees
//! them; [`Program::run`] evaluates it over JSON in place, without copying what it does not touch, and within a
//! budget. Nothing loops but over values that are there, so the budget bounds all work.
//!
//! Absent: the estimate of costs at compile time, `strings.format` beyond `%s %d %f %e %b %x %o`, and two-variable comprehensions.

pub mod ast;
pub mod check;
pub mod device;
pub mod eval;
mod lexer;
pub mod library;
pub mod mutation;
mod overloads;
mod parser;
pub mod types;
pub mod value;

use std::collections::BTreeMap;

pub use eval::{Budget, RunError};
pub use types::Type;
pub use value::Val;

/// What an expression may name, and of which types that is.
pub type Variables<'s> = BTreeMap<String, Type<'s>>;

/// An expression that was read and checked.
#[derive(Clone, Debug)]
pub struct Program {
    root: ast::Node,
    text: String,
}

/// Why an expression is none: what upstream's compiler prints.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", .0.join("\n"))]
pub struct CompileError(pub Vec<String>);

/// A fault at a place in the text.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Issue {
    at: usize,
    what: String,
}

// === impl Program ===

impl Program {
    /// Reads and checks an expression: it, and the type of its value.
    pub fn compile<'s>(text: &str, variables: &Variables<'s>) -> Result<(Self, Type<'s>), CompileError> {
        Self::compile_in(text, variables, false)
    }

    /// The same; `mutates` if it may make values of the types of mutations.
    fn compile_in<'s>(text: &str, variables: &Variables<'s>, mutates: bool) -> Result<(Self, Type<'s>), CompileError> {
        let told = |issues: Vec<Issue>| CompileError(issues.iter().map(|issue| issue.print(text)).collect());
        let root = parser::parse(text).map_err(told)?;
        let (kind, issues) = check::check(&root, variables, mutates);
        if issues.is_empty() { Ok((Self { root, text: text.to_owned() }, kind)) } else { Err(told(issues)) }
    }

    /// The value of the expression.
    pub fn run<'a>(&'a self, variables: &[(&'a str, Val<'a>)], budget: &mut Budget) -> Result<Val<'a>, RunError> {
        eval::run(&self.root, variables, budget)
    }

    /// Whether the expression names a variable.
    #[must_use]
    pub fn uses(&self, variable: &str) -> bool {
        self.root.names(variable)
    }

    /// Whether the expression selects a field of a variable by its name.
    #[must_use]
    pub fn selects(&self, variable: &str, field: &str) -> bool {
        self.root.selects(variable, field)
    }

    /// As it was written.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }
}

// === impl Issue ===

impl Issue {
    fn new(at: usize, what: impl Into<String>) -> Self {
        Self { at, what: what.into() }
    }

    /// With the line, and a mark below the place.
    fn print(&self, text: &str) -> String {
        let before: String = text.chars().take(self.at).collect();
        let row = before.matches('\n').count();
        let column = before.rsplit('\n').next().map_or(0, |line| line.chars().count());
        let line = text.split('\n').nth(row).unwrap_or_default();
        format!("ERROR: <input>:{}:{}: {}\n | {line}\n | {}^", row + 1, column + 1, self.what, ".".repeat(column))
    }
}

#[cfg(test)]
mod tests;
