//! Reading templates.

use serde_json::Value;

use super::{Compare, Operand, Part, Path, Step};

type Result<T> = std::result::Result<T, String>;

/// Longer templates are refused: ranges and filters nest, and are read by recursion.
const LONGEST: usize = 4096;
/// Filters in filters in filters are refused: each may look at the whole document for each value of the one around it.
const FILTERS: usize = 2;

/// Reads a whole template.
pub(super) fn template(text: &str) -> Result<Vec<Part>> {
    if text.len() > LONGEST {
        return Err(format!("longer than {LONGEST} bytes"));
    }
    let mut rest = text;
    let parts = parts(&mut rest, false)?;
    if rest.is_empty() { Ok(parts) } else { Err("{end} without {range}".into()) }
}

fn parts(rest: &mut &str, inside: bool) -> Result<Vec<Part>> {
    let mut parts = Vec::new();
    while !rest.is_empty() {
        let Some(open) = rest.find('{') else {
            parts.push(Part::Text(std::mem::take(rest).into()));
            break;
        };
        if open > 0 {
            parts.push(Part::Text(rest[..open].into()));
        }
        let close = closing(&rest[open..]).ok_or("unclosed action")? + open;
        let action = rest[open + 1..close].trim();
        let before = *rest;
        *rest = &rest[close + 1..];
        match action.split_once(' ').map_or((action, ""), |(word, more)| (word, more.trim())) {
            ("end", _) if inside => return Ok(parts),
            ("end", _) => {
                *rest = before;
                return Ok(parts);
            }
            ("range", path) => {
                let path = whole_path(path)?;
                parts.push(Part::Range(path, self::parts(rest, true)?));
            }
            _ => parts.extend(pieces(action)?),
        }
    }
    if inside { Err("{range} without {end}".into()) } else { Ok(parts) }
}

/// The position of the brace that closes the first one; braces in quotes do not count.
fn closing(text: &str) -> Option<usize> {
    let mut quote = None;
    let mut escaped = false;
    for (index, c) in text.char_indices().skip(1) {
        match (quote, c) {
            _ if escaped => escaped = false,
            (Some(_), '\\') => escaped = true,
            (Some(q), c) if q == c => quote = None,
            (None, '"' | '\'') => quote = Some(c),
            (None, '}') => return Some(index),
            _ => {}
        }
    }
    None
}

/// What stands between braces: quoted texts and paths, one after the other.
fn pieces(action: &str) -> Result<Vec<Part>> {
    let mut rest = action;
    let mut found = Vec::new();
    while !rest.trim_start().is_empty() {
        rest = rest.trim_start();
        if rest.starts_with(['"', '\'']) {
            found.push(Part::Text(quoted(&mut rest)?));
        } else {
            let before = rest.len();
            found.push(Part::Path(path(&mut rest)?));
            if rest.len() == before {
                return Err(format!("unexpected {rest:?}"));
            }
        }
    }
    Ok(found)
}

fn whole_path(text: &str) -> Result<Path> {
    let mut rest = text;
    let path = path(&mut rest)?;
    if rest.trim().is_empty() { Ok(path) } else { Err(format!("unexpected {rest:?}")) }
}

pub(super) fn path(rest: &mut &str) -> Result<Path> {
    let path = steps(rest)?;
    if filters(&path) > FILTERS { Err(format!("more than {FILTERS} filters in each other")) } else { Ok(path) }
}

/// How deep filters are in each other.
fn filters(path: &[Step]) -> usize {
    let own = path.iter().map(|step| match step {
        Step::Filter(left, _, Operand::Path(right)) => 1 + filters(left).max(filters(right)),
        Step::Filter(left, ..) => 1 + filters(left),
        _ => 0,
    });
    own.max().unwrap_or(0)
}

fn steps(rest: &mut &str) -> Result<Path> {
    let mut steps = Vec::new();
    loop {
        if let Some(more) = rest.strip_prefix("..") {
            steps.push(Step::Descend);
            *rest = more;
            if rest.starts_with(|c: char| is_name(c)) {
                steps.push(field(rest));
            }
        } else if let Some(more) = rest.strip_prefix('$') {
            steps.push(Step::Root);
            *rest = more;
        } else if let Some(more) = rest.strip_prefix('@') {
            *rest = more;
        } else if let Some(more) = rest.strip_prefix(".*").or_else(|| rest.strip_prefix('*')) {
            steps.push(Step::Everything);
            *rest = more;
        } else if let Some(more) = rest.strip_prefix('.') {
            *rest = more;
            if rest.starts_with(|c: char| is_name(c)) {
                steps.push(field(rest));
            }
        } else if rest.starts_with('[') {
            steps.push(bracket(rest)?);
        } else if rest.starts_with(is_name) && steps.is_empty() {
            steps.push(field(rest));
        } else if rest.is_empty() || rest.starts_with([' ', ')', '=', '!', '<', '>']) {
            return Ok(steps);
        } else {
            return Err(format!("unexpected {rest:?}"));
        }
    }
}

const fn is_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '/' | '\\')
}

/// A backslash makes a dot part of the name: `.metadata.annotations.a\.b/c`.
fn field(rest: &mut &str) -> Step {
    let mut name = String::new();
    let mut end = rest.len();
    let mut escaped = false;
    for (index, c) in rest.char_indices() {
        match c {
            _ if escaped => {
                name.push(c);
                escaped = false;
            }
            '\\' => escaped = true,
            c if is_name(c) => name.push(c),
            _ => {
                end = index;
                break;
            }
        }
    }
    *rest = &rest[end..];
    Step::Field(name)
}

fn bracket(rest: &mut &str) -> Result<Step> {
    if let Some(inner) = rest.strip_prefix("[?(") {
        *rest = inner;
        let step = filter(rest)?;
        *rest = rest.trim_start().strip_prefix(")]").ok_or("a filter ends with )]")?;
        return Ok(step);
    }
    let close = rest.find(']').ok_or("unclosed [")?;
    let inner = rest[1..close].trim();
    *rest = &rest[close + 1..];
    if inner == "*" {
        return Ok(Step::Everything);
    }
    if let Some(name) = inner.strip_prefix(['\'', '"']).and_then(|n| n.strip_suffix(['\'', '"'])) {
        return Ok(Step::Field(name.into()));
    }
    let number = |text: &str| match text.trim() {
        "" => Ok(None),
        text => text.parse::<i64>().map(Some).map_err(|_| format!("{text:?} is no number")),
    };
    let parts: Vec<&str> = inner.split(':').collect();
    match parts.as_slice() {
        [one] => number(one)?.map(Step::Index).ok_or_else(|| "[] is empty".into()),
        [from, to] => Ok(Step::Slice(number(from)?, number(to)?, 1)),
        [from, to, step] => Ok(Step::Slice(number(from)?, number(to)?, number(step)?.unwrap_or(1))),
        _ => Err(format!("[{inner}] is no index and no slice")),
    }
}

fn filter(rest: &mut &str) -> Result<Step> {
    *rest = rest.trim_start();
    let left = path(rest)?;
    *rest = rest.trim_start();
    let operators = [
        ("==", Compare::Equal),
        ("!=", Compare::NotEqual),
        ("<=", Compare::LessOrEqual),
        (">=", Compare::GreaterOrEqual),
        ("<", Compare::Less),
        (">", Compare::Greater),
    ];
    let Some((text, compare)) = operators.iter().find(|(text, _)| rest.starts_with(text)) else {
        return Ok(Step::Filter(left, Compare::Exists, Operand::Value(Value::Null)));
    };
    *rest = rest[text.len()..].trim_start();
    Ok(Step::Filter(left, *compare, operand(rest)?))
}

fn operand(rest: &mut &str) -> Result<Operand> {
    if rest.starts_with(['"', '\'']) {
        return Ok(Operand::Value(quoted(rest)?.into()));
    }
    if rest.starts_with(['@', '$', '.']) {
        return Ok(Operand::Path(path(rest)?));
    }
    let end = rest.find([')', ' ']).unwrap_or(rest.len());
    let word = &rest[..end];
    *rest = &rest[end..];
    serde_json::from_str(word).map(Operand::Value).map_err(|_| format!("{word:?} is no value"))
}

fn quoted(rest: &mut &str) -> Result<String> {
    let quote = rest.chars().next().ok_or("a quote is missing")?;
    let mut text = String::new();
    let mut escaped = false;
    for (index, c) in rest.char_indices().skip(1) {
        match c {
            'n' if escaped => text.push('\n'),
            't' if escaped => text.push('\t'),
            'r' if escaped => text.push('\r'),
            c if escaped => text.push(c),
            '\\' => {
                escaped = true;
                continue;
            }
            c if c == quote => {
                *rest = &rest[index + 1..];
                return Ok(text);
            }
            c => text.push(c),
        }
        escaped = false;
    }
    Err("unclosed quote".into())
}
