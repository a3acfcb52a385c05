//! Texts and patterns.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use regex::Regex;

use super::super::eval::{Budget, RunError};
use super::super::value::Val;
use super::Outcome;
use crate::structural::pattern;

/// Patterns that a thread keeps compiled; most are constants of rules.
const KEPT: usize = 256;

thread_local! {
    static PATTERNS: RefCell<HashMap<String, Rc<Regex>>> = RefCell::default();
}

pub(super) fn call<'a>(name: &str, with: &[Val<'a>], budget: &mut Budget) -> Option<Outcome<'a>> {
    let Some((Val::Text(text), rest)) = with.split_first() else { return None };
    let bool = |b: bool| Ok(Val::Bool(b));
    Some(match (name, rest) {
        ("contains", [Val::Text(other)]) => bool(text.contains(&**other)),
        ("startsWith", [Val::Text(other)]) => bool(text.starts_with(&**other)),
        ("endsWith", [Val::Text(other)]) => bool(text.ends_with(&**other)),
        ("matches", [Val::Text(pattern)]) => {
            let cost = (text.len() as u64 / 10 + 1) * (pattern.len() as u64 / 4 + 1);
            budget.spend(cost).and_then(|()| compiled(pattern)).map(|regex| Val::Bool(regex.is_match(text)))
        }
        ("find", [Val::Text(pattern)]) => {
            compiled(pattern).map(|regex| Val::made(regex.find(text).map_or("", |found| found.as_str())))
        }
        ("findAll", [Val::Text(pattern), rest @ ..]) => {
            let limit = match rest {
                [Val::Int(limit)] => usize::try_from(*limit).unwrap_or(usize::MAX),
                _ => usize::MAX,
            };
            compiled(pattern).map(|regex| {
                Val::list(regex.find_iter(text).take(limit).map(|found| Val::made(found.as_str())).collect())
            })
        }
        ("jsonpatch.escapeKey", []) => Ok(Val::made(text.replace('~', "~0").replace('/', "~1"))),
        ("lowerAscii", []) => Ok(Val::made(text.to_ascii_lowercase())),
        ("upperAscii", []) => Ok(Val::made(text.to_ascii_uppercase())),
        ("trim", []) => Ok(Val::made(text.trim())),
        ("reverse", []) => Ok(Val::made(text.chars().rev().collect::<String>())),
        ("strings.quote", []) => Ok(Val::made(format!("{text:?}"))),
        ("replace", [Val::Text(from), Val::Text(to)]) => Ok(Val::made(text.replace(&**from, to))),
        ("replace", [Val::Text(from), Val::Text(to), Val::Int(count)]) => match usize::try_from(*count) {
            Ok(count) => Ok(Val::made(text.replacen(&**from, to, count))),
            Err(_) => Ok(Val::made(text.replace(&**from, to))),
        },
        ("split", [Val::Text(by)]) => Ok(split(text, by, None)),
        ("split", [Val::Text(by), Val::Int(limit)]) => Ok(split(text, by, usize::try_from(*limit).ok())),
        ("charAt" | "substring" | "indexOf" | "lastIndexOf", _) => return places(name, text, rest),
        ("format", [list]) => format(text, &list.items()?),
        _ => return None,
    })
}

fn compiled(text: &str) -> Result<Rc<Regex>, RunError> {
    PATTERNS.with_borrow_mut(|known| {
        if let Some(regex) = known.get(text) {
            return Ok(regex.clone());
        }
        let regex = pattern::compile(text).map(Rc::new);
        let regex = regex.map_err(|why| RunError::Other(format!("error parsing regexp: {why}")))?;
        if known.len() >= KEPT {
            known.clear();
        }
        known.insert(text.to_owned(), regex.clone());
        Ok(regex)
    })
}

fn split<'a>(text: &str, by: &str, limit: Option<usize>) -> Val<'a> {
    let parts: Vec<String> = match limit {
        Some(0) => Vec::new(),
        _ if by.is_empty() => text.chars().map(String::from).collect(),
        Some(limit) => text.splitn(limit, by).map(str::to_owned).collect(),
        None => text.split(by).map(str::to_owned).collect(),
    };
    Val::list(parts.into_iter().map(Val::made).collect())
}

/// What counts characters.
fn places<'a>(name: &str, text: &str, rest: &[Val<'a>]) -> Option<Outcome<'a>> {
    let chars: Vec<char> = text.chars().collect();
    let at = |n: &i64| usize::try_from(*n).ok().filter(|n| *n <= chars.len());
    let out = |n: &i64| Err(RunError::Other(format!("index out of range: {n}")));
    let piece = |chars: &[char]| Ok(Val::made(chars.iter().collect::<String>()));
    Some(match (name, rest) {
        ("charAt", [Val::Int(n)]) => match at(n) {
            Some(n) => piece(chars.get(n..=n).unwrap_or_default()),
            None => out(n),
        },
        ("substring", [Val::Int(from)]) => at(from).map_or_else(|| out(from), |from| piece(&chars[from..])),
        ("substring", [Val::Int(from), Val::Int(to)]) => match at(from).zip(at(to)).filter(|(from, to)| from <= to) {
            Some((from, to)) => piece(&chars[from..to]),
            None => Err(RunError::Other(format!("invalid substring range. start: {from}, end: {to}"))),
        },
        (_, [Val::Text(other), rest @ ..]) => {
            let other: Vec<char> = other.chars().collect();
            let starts = |n: usize| chars[n..].starts_with(&other);
            let found = match (name, rest) {
                ("indexOf", []) => (0..=chars.len()).find(|n| starts(*n)),
                ("indexOf", [Val::Int(from)]) => match at(from) {
                    Some(from) => (from..=chars.len()).find(|n| starts(*n)),
                    None => return Some(out(from)),
                },
                (_, [Val::Int(to)]) => match at(to) {
                    Some(to) => (0..=to).rev().find(|n| starts(*n)),
                    None => return Some(out(to)),
                },
                _ => (0..=chars.len()).rev().find(|n| starts(*n)),
            };
            Ok(Val::Int(found.and_then(|n| i64::try_from(n).ok()).unwrap_or(-1)))
        }
        _ => return None,
    })
}

/// `%s`, `%d`, `%f`, `%e`, `%b`, `%x`, `%o`, `%%`; digits behind a point for the floating ones.
fn format<'a>(text: &str, with: &[Val<'a>]) -> Outcome<'a> {
    let mut out = String::new();
    let mut chars = text.chars().peekable();
    let mut with = with.iter();
    while let Some(c) = chars.next() {
        if c != '%' {
            out.push(c);
            continue;
        }
        let mut digits = 6;
        if chars.next_if_eq(&'.').is_some() {
            let mut number = String::new();
            while let Some(digit) = chars.next_if(char::is_ascii_digit) {
                number.push(digit);
            }
            digits = number.parse::<usize>().unwrap_or(6).min(100);
        }
        let verb = chars.next().unwrap_or('%');
        if verb == '%' {
            out.push('%');
            continue;
        }
        let value = with.next().ok_or_else(|| RunError::Other("index 0 out of range".into()))?;
        let wrong = || RunError::Other(format!("could not convert argument {} to %{verb}", value.kind()));
        out.push_str(&one(verb, digits, value).ok_or_else(wrong)?);
    }
    Ok(Val::made(out))
}

fn one(verb: char, digits: usize, value: &Val<'_>) -> Option<String> {
    Some(match (verb, value) {
        ('s', value) => value.printed().unwrap_or_else(|| value.json().to_string()),
        ('d', Val::Int(_) | Val::Uint(_)) => value.printed()?,
        ('f', Val::Double(n)) => format!("{n:.digits$}"),
        ('e', Val::Double(n)) => format!("{n:.digits$e}"),
        ('b', Val::Int(n)) => format!("{n:b}"),
        ('b', Val::Bool(b)) => u8::from(*b).to_string(),
        ('x', Val::Int(n)) => format!("{n:x}"),
        ('X', Val::Int(n)) => format!("{n:X}"),
        ('x', Val::Text(text)) => text.bytes().map(|byte| format!("{byte:02x}")).collect(),
        ('o', Val::Int(n)) => format!("{n:o}"),
        _ => return None,
    })
}
