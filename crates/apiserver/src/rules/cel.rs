//! Expressions in CEL: the one place where they are checked when an object of admission or of devices is written.
//!
//! Conditions are compiled and must be of type bool; the variables that they may use have no types of their own. Of other
//! expressions (messages, audit annotations, variables, mutations, selectors of devices) only is checked that there is one.

use nakhoda_api::cel::{Program, Type, Variables};
use nakhoda_api::field::{Errors, Path};

/// Words that no variable may have as its name.
const RESERVED: &[&str] = &[
    "as",
    "break",
    "const",
    "continue",
    "else",
    "false",
    "for",
    "function",
    "if",
    "import",
    "in",
    "let",
    "loop",
    "namespace",
    "null",
    "package",
    "return",
    "true",
    "var",
    "void",
    "while",
];

/// An expression that must be given.
pub fn expression(errors: &mut Errors, path: &Path, text: &str, missing: &str) {
    if text.trim().is_empty() {
        errors.required(path, missing);
    }
}

/// A condition that must be given, over the variables of these names.
pub fn condition(errors: &mut Errors, path: &Path, text: &str, missing: &str, names: &[&str]) {
    if text.trim().is_empty() {
        return errors.required(path, missing);
    }
    let variables: Variables<'_> = names.iter().map(|name| ((*name).to_owned(), Type::Dyn)).collect();
    match Program::compile(text, &variables) {
        Ok((_, kind)) if kind.fits(&Type::Bool) => {}
        Ok(_) => errors.invalid(path, text, "must evaluate to bool"),
        Err(why) => errors.invalid(path, text, format!("compilation failed: {why}")),
    }
}

/// Whether a variable may have this name.
#[must_use]
pub fn is_identifier(name: &str) -> bool {
    let mut bytes = name.bytes();
    let first = bytes.next().is_some_and(|b| b == b'_' || b.is_ascii_alphabetic());
    first && bytes.all(|b| b == b'_' || b.is_ascii_alphanumeric()) && !RESERVED.contains(&name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reserved_words_name_no_variable() {
        assert!(is_identifier("_a1") && is_identifier("Foo"));
        assert!(!is_identifier("1a") && !is_identifier("a-b") && !is_identifier("for") && !is_identifier(""));
    }
}
