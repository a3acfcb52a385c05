//! Expressions in CEL: the one place where they are checked when an object of admission or of devices is written.
//!
//! They are compiled and must give what is wanted; most variables that they may use have no types of their own.
//! Selectors of devices: [`crate::rules::device`].

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
    /// A text.
    Text,
    /// A text, or nothing.
    TextOrNull,
    /// A change of an object.
    Change(Mutation),
}

/// A condition that must be given, over the variables of these names.
pub fn condition(errors: &mut Errors, path: &Path, text: &str, missing: &str, names: &[&str]) {
    compiled(errors, path, text, missing, (&variables(names), Wanted::Bool));
}

/// An expression that must be given, over these variables and with such a value. The type of its values, if it has one.
pub fn compiled(
    errors: &mut Errors,
    path: &Path,
    text: &str,
    missing: &str,
    (variables, wanted): (&Variables<'static>, Wanted),
) -> Type<'static> {
    if text.trim().is_empty() {
        errors.required(path, missing);
        return Type::Dyn;
    }
    let outcome = match wanted {
        Wanted::Change(mutation) => mutation.compile(text, variables).map(|_| Type::Dyn),
        _ => match Program::compile(text, variables) {
            Ok((_, kind)) => wanted.check(&kind).map(|()| kind),
            Err(why) => Err(format!("compilation failed: {why}")),
        },
    };
    outcome.unwrap_or_else(|why| {
        errors.invalid(path, text, why);
        Type::Dyn
    })
}

/// Variables of these names. Only the authorizer has a type.
#[must_use]
pub fn variables(names: &[&str]) -> Variables<'static> {
    let kind = |name: &str| if name == "authorizer" { Type::Named(Stage::Authorizer.kind()) } else { Type::Dyn };
    names.iter().map(|name| ((*name).to_owned(), kind(name))).collect()
}

// === impl Wanted ===

impl Wanted {
    /// What is known only when the expression runs does not do.
    fn check(self, kind: &Type<'_>) -> Result<(), String> {
        let (fits, wanted) = match self {
            Self::Any | Self::Change(_) => return Ok(()),
            Self::Bool => (*kind == Type::Bool, "bool"),
            Self::Text => (*kind == Type::Text, "string"),
            Self::TextOrNull => (matches!(kind, Type::Text | Type::Null), "one of [string null_type]"),
        };
        if fits { Ok(()) } else { Err(format!("must evaluate to {wanted} but got {kind}")) }
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
    fn an_expression_gives_what_is_wanted() {
        for (text, wanted, told) in [
            ("object.a == 1", Wanted::Bool, ""),
            ("object.a", Wanted::Bool, "must evaluate to bool but got dyn"),
            ("1 + 1", Wanted::Text, "must evaluate to string but got int"),
            ("1 + 1", Wanted::TextOrNull, "must evaluate to one of [string null_type] but got int"),
            ("null", Wanted::TextOrNull, ""),
            ("variables.a == 1", Wanted::Bool, "undeclared reference to 'variables'"),
        ] {
            let mut errors = Errors::default();
            compiled(&mut errors, &Path::new("x"), text, "", (&variables(&["object"]), wanted));
            let errors = errors.to_string();
            assert!(errors.contains(told) && errors.is_empty() == told.is_empty(), "{text}: {errors}");
        }
    }

    #[test]
    fn reserved_words_name_no_variable() {
        assert!(is_identifier("_a1") && is_identifier("Foo"));
        assert!(!is_identifier("1a") && !is_identifier("a-b") && !is_identifier("for") && !is_identifier(""));
    }
}
