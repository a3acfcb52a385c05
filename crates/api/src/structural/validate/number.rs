//! Bounds of numbers.

use serde_json::{Number, Value};

use super::{Outcome, Place};
use crate::structural::go;

pub(super) fn check(place: Place<'_>, number: &Number) -> Outcome {
    let mut outcome = Outcome { matches: 1, ..Outcome::default() };
    range(place, number, &mut outcome);
    multiple(place, number, &mut outcome);
    let schema = place.schema;
    let at = format!("{} in body should be", place.path);
    if let Some(bound) = schema.minimum {
        let (too_little, words) = match (below(number, bound), schema.exclusive_minimum) {
            (Order::Less, exclusive) => (true, exclusive),
            (Order::Same, exclusive) => (exclusive, exclusive),
            (Order::More, exclusive) => (false, exclusive),
        };
        if too_little {
            let words = if words { "greater than" } else { "greater than or equal to" };
            outcome.invalid(place.path, number.clone(), format!("{at} {words} {}", bound_text(number, bound)));
        }
    }
    if let Some(bound) = schema.maximum {
        let too_much = match below(number, bound) {
            Order::Less => false,
            Order::Same => schema.exclusive_maximum,
            Order::More => true,
        };
        if too_much {
            let words = if schema.exclusive_maximum { "less than" } else { "less than or equal to" };
            outcome.invalid(place.path, number.clone(), format!("{at} {words} {}", bound_text(number, bound)));
        }
    }
    outcome
}

enum Order {
    Less,
    Same,
    More,
}

/// How a number stands to a bound: whole numbers are compared as such, with the bound cut to one.
fn below(number: &Number, bound: f64) -> Order {
    let ordering = match number.as_i64() {
        Some(whole) => Some(whole.cmp(&cut(bound))),
        None => number.as_f64().and_then(|number| number.partial_cmp(&bound)),
    };
    match ordering {
        Some(std::cmp::Ordering::Less) => Order::Less,
        Some(std::cmp::Ordering::Equal) => Order::Same,
        Some(std::cmp::Ordering::Greater) | None => Order::More,
    }
}

fn bound_text(number: &Number, bound: f64) -> String {
    if number.is_i64() { cut(bound).to_string() } else { go::float(bound) }
}

#[allow(clippy::cast_possible_truncation, reason = "what Go does to a bound of a whole number")]
const fn cut(bound: f64) -> i64 {
    bound as i64
}

fn multiple(place: Place<'_>, number: &Number, outcome: &mut Outcome) {
    let Some(factor) = place.schema.multiple_of else { return };
    if factor <= 0.0 {
        let why = format!("factor MultipleOf declared for {} must be positive: {}", place.path, go::float(factor));
        return outcome.invalid(place.path, Value::from(factor), why);
    }
    let fits = match (number.as_i64(), cut(factor)) {
        (Some(whole), cut) if cut > 0 => whole % cut == 0,
        _ => {
            let number = number.as_f64().unwrap_or_default();
            let times = if factor < 1.0 { 1.0 / factor * number } else { number / factor };
            (times - times.round()).abs() < 1e-9
        }
    };
    if !fits {
        let why = format!("{} in body should be a multiple of {}", place.path, go::float(factor));
        outcome.invalid(place.path, number.clone(), why);
    }
}

/// What its type and format can hold.
fn range(place: Place<'_>, number: &Number, outcome: &mut Outcome) {
    let (kind, format) = (place.schema.kind.as_str(), place.schema.format.as_str());
    let whole = || number.as_i64().is_some() || go::whole(number).is_some();
    let fits = match (kind, format) {
        ("integer", "int32") => number.as_i64().is_some_and(|n| i32::try_from(n).is_ok()),
        ("integer", _) => whole(),
        ("number", "float") => number.as_f64().is_some_and(|n| n.abs() <= f64::from(f32::MAX)),
        _ => true,
    };
    if fits || !matches!(kind, "integer" | "number") {
        return;
    }
    let of = match format {
        "int32" | "int64" | "float" | "double" => format!("with format {format}"),
        _ => "(default format)".to_owned(),
    };
    outcome.whole(format!("Checked value must be of type {kind} {of} in {}", place.path));
}
