//! Versions.

use std::cmp::Ordering;
use std::rc::Rc;

use super::super::eval::{Budget, RunError};
use super::super::value::Val;
use super::Outcome;

/// Major, minor, patch, and what stands behind a dash.
type Version = (u64, u64, u64, String);

pub(super) fn call<'a>(name: &str, with: &[Val<'a>], _: &mut Budget) -> Option<Outcome<'a>> {
    let int = |n: u64| Ok(Val::Int(i64::try_from(n).unwrap_or(i64::MAX)));
    Some(match (name, with) {
        ("semver", [Val::Text(text), rest @ ..]) => {
            let lenient = matches!(rest, [Val::Bool(true)]);
            let why = || RunError::Other(format!("invalid semver: {text}"));
            parse(text, lenient).map(|version| Val::Semver(Rc::new(version))).ok_or_else(why)
        }
        ("isSemver", [Val::Text(text), rest @ ..]) => {
            Ok(Val::Bool(parse(text, matches!(rest, [Val::Bool(true)])).is_some()))
        }
        ("major", [Val::Semver(v)]) => int(v.0),
        ("minor", [Val::Semver(v)]) => int(v.1),
        ("patch", [Val::Semver(v)]) => int(v.2),
        ("isLessThan", [Val::Semver(a), Val::Semver(b)]) => Ok(Val::Bool(order(a, b).is_lt())),
        ("isGreaterThan", [Val::Semver(a), Val::Semver(b)]) => Ok(Val::Bool(order(a, b).is_gt())),
        ("compareTo", [Val::Semver(a), Val::Semver(b)]) => Ok(Val::Int(order(a, b) as i64)),
        _ => return None,
    })
}

/// `1.2.3-rc.1+build`; leniently also `v1` and `01.2`.
fn parse(text: &str, lenient: bool) -> Option<Version> {
    let text = if lenient { text.strip_prefix('v').unwrap_or(text) } else { text };
    let text = text.split_once('+').map_or(text, |(text, _)| text);
    let (numbers, behind) = text.split_once('-').unwrap_or((text, ""));
    let mut parts = Vec::new();
    for part in numbers.split('.') {
        if part.is_empty()
            || !part.bytes().all(|b| b.is_ascii_digit())
            || !lenient && part.len() > 1 && part.starts_with('0')
        {
            return None;
        }
        parts.push(part.parse().ok()?);
    }
    if lenient {
        parts.resize(parts.len().max(3), 0);
    }
    match parts.as_slice() {
        [major, minor, patch] => Some((*major, *minor, *patch, behind.to_owned())),
        _ => None,
    }
}

/// Which of two versions is less: one with something behind it is less than one without.
#[must_use]
pub(in crate::cel) fn order(a: &Version, b: &Version) -> Ordering {
    (a.0, a.1, a.2).cmp(&(b.0, b.1, b.2)).then_with(|| match (a.3.as_str(), b.3.as_str()) {
        (a, b) if a == b => Ordering::Equal,
        ("", _) => Ordering::Greater,
        (_, "") => Ordering::Less,
        (a, b) => {
            let rank = |part: &str| part.parse::<u64>().map_or((1, 0, part.to_owned()), |n| (0, n, String::new()));
            a.split('.').map(rank).cmp(b.split('.').map(rank))
        }
    })
}
