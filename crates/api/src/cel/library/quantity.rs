//! Amounts.

use super::super::eval::{Budget, RunError};
use super::super::value::Val;
use super::Outcome;
use crate::quantity::Quantity;

pub(super) fn call<'a>(name: &str, with: &[Val<'a>], _: &mut Budget) -> Option<Outcome<'a>> {
    let of_int = |n: &i64| Quantity::parse(&n.to_string()).ok();
    Some(match (name, with) {
        ("quantity", [Val::Text(text)]) => {
            Quantity::parse(text).map(Val::Quantity).map_err(|error| RunError::Other(error.to_string()))
        }
        ("isQuantity", [Val::Text(text)]) => Ok(Val::Bool(Quantity::parse(text).is_ok())),
        ("isInteger", [Val::Quantity(q)]) => Ok(Val::Bool(is_whole(*q))),
        ("asInteger", [Val::Quantity(q)]) if is_whole(*q) => Ok(Val::Int(q.value())),
        ("asInteger", [Val::Quantity(_)]) => Err(RunError::Other("cannot convert value to integer".into())),
        #[allow(clippy::cast_precision_loss, reason = "an approximation is asked for")]
        ("asApproximateFloat", [Val::Quantity(q)]) => Ok(Val::Double(q.milli() as f64 / 1000.0)),
        ("sign", [Val::Quantity(q)]) => Ok(Val::Int(match q.cmp(&of_int(&0)?) {
            std::cmp::Ordering::Less => -1,
            std::cmp::Ordering::Equal => 0,
            std::cmp::Ordering::Greater => 1,
        })),
        ("add", [Val::Quantity(a), Val::Quantity(b)]) => Ok(Val::Quantity(*a + *b)),
        ("sub", [Val::Quantity(a), Val::Quantity(b)]) => Ok(Val::Quantity(*a - *b)),
        ("add", [Val::Quantity(a), Val::Int(b)]) => Ok(Val::Quantity(*a + of_int(b)?)),
        ("sub", [Val::Quantity(a), Val::Int(b)]) => Ok(Val::Quantity(*a - of_int(b)?)),
        ("isLessThan", [Val::Quantity(a), Val::Quantity(b)]) => Ok(Val::Bool(a < b)),
        ("isGreaterThan", [Val::Quantity(a), Val::Quantity(b)]) => Ok(Val::Bool(a > b)),
        ("compareTo", [Val::Quantity(a), Val::Quantity(b)]) => Ok(Val::Int(a.cmp(b) as i64)),
        _ => return None,
    })
}

/// Whether nothing is lost by counting it in ones.
fn is_whole(quantity: Quantity) -> bool {
    Quantity::parse(&quantity.value().to_string()).is_ok_and(|whole| whole == quantity)
}
