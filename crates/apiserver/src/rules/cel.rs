//! Expressions in CEL: the one place where they are checked when an object of admission or of devices is written.
//!
//! They are compiled and must give what is wanted; most variables that they may use have no types of their own. Of selectors
//! of devices only is checked that there is one.

use nakhoda_api::cel::library::authorizer::Stage;
use nakhoda_api::cel::mutation::Mutation;
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

/// What an expression has to give.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// Anything.
    Any,
    /// A truth.
    Bool,
    /// A text, or nothing.
    Text,
    /// A change of an object.
    Change(Mutation),
}

/// An expression that must be given.
pub fn expression(errors: &mut Errors, path: &Path, text: &str, missing: &str) {
    if text.trim().is_empty() {
        errors.required(path, missing);
    }
}

/// A condition that must be given, over the variables of these names.
pub fn condition(errors: &mut Errors, path: &Path, text: &str, missing: &str, names: &[&str]) {
    compiled(errors, path, text, missing, (names, Wanted::Bool));
}

/// An expression that must be given, over the variables of these names and with such a value.
pub fn compiled(errors: &mut Errors, path: &Path, text: &str, missing: &str, (names, wanted): (&[&str], Wanted)) {
    if text.trim().is_empty() {
        return errors.required(path, missing);
    }
    let variables = variables(names);
    let outcome = match wanted {
        Wanted::Change(mutation) => mutation.compile(text, &variables).map(drop),
        _ => match Program::compile(text, &variables) {
            Ok((_, kind)) => wanted.check(&kind),
            Err(why) => Err(format!("compilation failed: {why}")),
        },
    };
    if let Err(why) = outcome {
        errors.invalid(path, text, why);
    }
}

/// Variables of these names. Only the authorizer has a type.
#[must_use]
pub fn variables(names: &[&str]) -> Variables<'static> {
    let kind = |name: &str| if name == "authorizer" { Type::Named(Stage::Authorizer.kind()) } else { Type::Dyn };
    names.iter().map(|name| ((*name).to_owned(), kind(name))).collect()
}

// === impl Wanted ===

impl Wanted {
    fn check(self, kind: &Type<'_>) -> Result<(), String> {
        match self {
            Self::Bool if !kind.fits(&Type::Bool) => Err(format!("must evaluate to bool but got {kind}")),
            Self::Text if !kind.fits(&Type::Text) && *kind != Type::Null => {
                Err(format!("must evaluate to one of [string null_type] but got {kind}"))
            }
            _ => Ok(()),
        }
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
