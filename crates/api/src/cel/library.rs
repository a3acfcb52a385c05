//! Functions, operators and methods, each in the file of its library.

pub(super) mod arithmetic;
pub mod authorizer;
mod convert;
mod lists;
mod net;
mod quantity;
pub(super) mod semver;
mod strings;
pub(super) mod time;

use super::eval::{Budget, RunError};
use super::value::Val;
use crate::structural::format;

pub(super) type Outcome<'a> = Result<Val<'a>, RunError>;

/// Calls a function, or a method of the first value.
pub(super) fn call<'a>(name: &str, method: bool, with: &[Val<'a>], budget: &mut Budget) -> Outcome<'a> {
    let libraries = [
        arithmetic::call,
        lists::call,
        strings::call,
        time::call,
        quantity::call,
        semver::call,
        net::call,
        authorizer::call,
    ];
    if let Some(outcome) = basic(name, with) {
        return outcome;
    }
    if !method && let Some(outcome) = convert::call(name, with) {
        return outcome;
    }
    for library in libraries {
        if let Some(outcome) = library(name, with, budget) {
            return outcome;
        }
    }
    Err(RunError::Overload)
}

/// What all values have.
fn basic<'a>(name: &str, with: &[Val<'a>]) -> Option<Outcome<'a>> {
    Some(Ok(match (name, with) {
        ("_==_", [a, b]) => Val::Bool(a.same(b)),
        ("_!=_", [a, b]) => Val::Bool(!a.same(b)),
        ("_<_", [a, b]) => Val::Bool(a.order(b)?.is_lt()),
        ("_<=_", [a, b]) => Val::Bool(a.order(b)?.is_le()),
        ("_>_", [a, b]) => Val::Bool(a.order(b)?.is_gt()),
        ("_>=_", [a, b]) => Val::Bool(a.order(b)?.is_ge()),
        ("!_", [Val::Bool(b)]) => Val::Bool(!b),
        ("size", [of]) => Val::Int(i64::try_from(of.size()?).ok()?),
        ("@in", [item, of]) => match of.items() {
            Some(items) => Val::Bool(items.iter().any(|one| one.same(item))),
            None => {
                of.keys()?;
                Val::Bool(of.entry(item).is_some())
            }
        },
        ("optional.of", [value]) => value.clone().some(),
        ("optional.ofNonZeroValue", [value]) if value.is_zero() => Val::Optional(None),
        ("optional.ofNonZeroValue", [value]) => value.clone().some(),
        ("optional.none", []) => Val::Optional(None),
        ("hasValue", [Val::Optional(inner)]) => Val::Bool(inner.is_some()),
        ("value" | "@value", [Val::Optional(Some(value))]) => (**value).clone(),
        ("value" | "@value", [Val::Optional(None)]) => {
            return Some(Err(RunError::Other("optional.none() dereference".into())));
        }
        ("or" | "orValue", [Val::Optional(None), other]) => other.clone(),
        (name, []) if named(name).is_some() => Val::Format(named(name)?),
        ("format.named", [Val::Text(name)]) => match named(&format!("format.{name}")) {
            Some(name) => Val::Format(name).some(),
            None => Val::Optional(None),
        },
        ("validate", [Val::Format(name), Val::Text(text)]) => validate(name, text),
        _ => return None,
    }))
}

fn named(name: &str) -> Option<&'static str> {
    let known = [
        "dns1123Label",
        "dns1123Subdomain",
        "dns1035Label",
        "qualifiedName",
        "labelValue",
        "uri",
        "uuid",
        "byte",
        "date",
        "datetime",
    ];
    known.into_iter().find(|known| name.strip_prefix("format.") == Some(known))
}

fn validate<'a>(name: &str, text: &str) -> Val<'a> {
    use crate::names;
    let faults = match name {
        "dns1123Label" => names::is_dns1123_label(text),
        "dns1123Subdomain" => names::is_dns1123_subdomain(text),
        "dns1035Label" => names::is_dns1035_label(text),
        "qualifiedName" => names::is_qualified_name(text),
        "labelValue" => names::is_label_value(text),
        other if format::fits(other, text) => Vec::new(),
        other => vec![format!("invalid {other}")],
    };
    if faults.is_empty() { Val::Optional(None) } else { Val::list(faults.into_iter().map(Val::made).collect()).some() }
}
