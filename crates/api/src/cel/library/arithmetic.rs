//! Sums, products, and the library `math`.

use super::super::eval::{Budget, RunError};
use super::super::value::Val;
use super::Outcome;

pub(super) fn call<'a>(name: &str, with: &[Val<'a>], _: &mut Budget) -> Option<Outcome<'a>> {
    match (name, with) {
        ("-_", [Val::Int(n)]) => Some(n.checked_neg().map(Val::Int).ok_or_else(overflow)),
        ("-_", [Val::Double(n)]) => Some(Ok(Val::Double(-n))),
        (_, [a, b]) if name.starts_with('_') => binary(name, a, b),
        ("math.greatest" | "math.least", values) => extreme(name == "math.greatest", values),
        ("math.abs", [Val::Int(n)]) => Some(n.checked_abs().map(Val::Int).ok_or_else(overflow)),
        ("math.abs", [Val::Double(n)]) => Some(Ok(Val::Double(n.abs()))),
        ("math.sign", [Val::Int(n)]) => Some(Ok(Val::Int(n.signum()))),
        ("math.sign", [Val::Double(n)]) => Some(Ok(Val::Double(if *n == 0.0 { 0.0 } else { n.signum() }))),
        ("math.ceil", [Val::Double(n)]) => Some(Ok(Val::Double(n.ceil()))),
        ("math.floor", [Val::Double(n)]) => Some(Ok(Val::Double(n.floor()))),
        ("math.round", [Val::Double(n)]) => Some(Ok(Val::Double(n.round()))),
        ("math.trunc", [Val::Double(n)]) => Some(Ok(Val::Double(n.trunc()))),
        _ => None,
    }
}

pub(super) fn overflow() -> RunError {
    RunError::Other("integer overflow".into())
}

fn binary<'a>(name: &str, a: &Val<'a>, b: &Val<'a>) -> Option<Outcome<'a>> {
    Some(match (a, b) {
        (Val::Int(a), Val::Int(b)) => int(name, *a, *b)?.map(Val::Int),
        (Val::Uint(a), Val::Uint(b)) => uint(name, *a, *b)?.map(Val::Uint),
        (Val::Double(a), Val::Double(b)) => Ok(Val::Double(match name {
            "_+_" => a + b,
            "_-_" => a - b,
            "_*_" => a * b,
            "_/_" => a / b,
            _ => return None,
        })),
        (Val::Text(a), Val::Text(b)) if name == "_+_" => Ok(Val::made(format!("{a}{b}"))),
        (Val::Bytes(a), Val::Bytes(b)) if name == "_+_" => Ok(Val::Bytes([&a[..], &b[..]].concat().into())),
        _ if name == "_+_" => {
            let (mut items, more) = (a.items()?, b.items()?);
            items.extend(more);
            Ok(Val::list(items))
        }
        _ => return None,
    })
}

fn int(name: &str, a: i64, b: i64) -> Option<Result<i64, RunError>> {
    let made = match name {
        "_+_" => a.checked_add(b),
        "_-_" => a.checked_sub(b),
        "_*_" => a.checked_mul(b),
        "_/_" if b == 0 => return Some(Err(RunError::Other("division by zero".into()))),
        "_%_" if b == 0 => return Some(Err(RunError::Other("modulus by zero".into()))),
        "_/_" => a.checked_div(b),
        "_%_" => a.checked_rem(b),
        _ => return None,
    };
    Some(made.ok_or_else(overflow))
}

fn uint(name: &str, a: u64, b: u64) -> Option<Result<u64, RunError>> {
    let made = match name {
        "_+_" => a.checked_add(b),
        "_-_" => a.checked_sub(b),
        "_*_" => a.checked_mul(b),
        "_/_" if b == 0 => return Some(Err(RunError::Other("division by zero".into()))),
        "_%_" if b == 0 => return Some(Err(RunError::Other("modulus by zero".into()))),
        "_/_" => a.checked_div(b),
        "_%_" => a.checked_rem(b),
        _ => return None,
    };
    Some(made.ok_or_else(|| RunError::Other("unsigned integer overflow".into())))
}

fn extreme<'a>(greatest: bool, values: &[Val<'a>]) -> Option<Outcome<'a>> {
    let values = match values {
        [one] => one.items().unwrap_or_else(|| vec![one.clone()]),
        many => many.to_vec(),
    };
    Some(pick(&values, greatest).ok_or_else(|| RunError::Other("math.@min(list) argument must not be empty".into())))
}

/// The least or the greatest of several values.
pub(super) fn pick<'a>(values: &[Val<'a>], greatest: bool) -> Option<Val<'a>> {
    let mut values = values.iter();
    let mut best = values.next()?;
    for value in values {
        let order = value.order(best)?;
        if if greatest { order.is_gt() } else { order.is_lt() } {
            best = value;
        }
    }
    Some(best.clone())
}
