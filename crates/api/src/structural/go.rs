//! Values as Go prints and counts them.

use serde_json::{Map, Number, Value};

/// A number as `%v` prints a float64.
#[must_use]
pub fn float(number: f64) -> String {
    let magnitude = number.abs();
    if number == 0.0 || (1e-4..1e21).contains(&magnitude) {
        return format!("{number}");
    }
    let text = format!("{number:e}");
    let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let (sign, exponent) = exponent.strip_prefix('-').map_or(('+', exponent), |rest| ('-', rest));
    format!("{digits}e{sign}{exponent:0>2}")
}

/// A value as `%v` prints it: maps by their sorted keys, texts without quotes.
#[must_use]
pub fn print(value: &Value) -> String {
    let joined = |items: Vec<String>| items.join(" ");
    match value {
        Value::Null => "<nil>".into(),
        Value::Bool(flag) => flag.to_string(),
        Value::Number(number) if number.is_f64() => float(number.as_f64().unwrap_or_default()),
        Value::Number(number) => number.to_string(),
        Value::String(text) => text.clone(),
        Value::Array(items) => format!("[{}]", joined(items.iter().map(print).collect())),
        Value::Object(map) => format!("map[{}]", print_entries(map)),
    }
}

fn print_entries(map: &Map<String, Value>) -> String {
    let mut entries: Vec<_> = map.iter().collect();
    entries.sort_unstable_by_key(|(key, _)| key.as_str());
    entries.into_iter().map(|(key, value)| format!("{key}:{}", print(value))).collect::<Vec<_>>().join(" ")
}

/// Puts an object into the form in which Go keeps one of no known type: keys sorted, whole numbers as such.
pub fn canonical(value: &mut Value) {
    match value {
        Value::Number(number) => {
            if let Some(whole) = whole(number) {
                *number = whole;
            }
        }
        Value::Array(items) => items.iter_mut().for_each(canonical),
        Value::Object(map) => canonical_root(map),
        Value::Null | Value::Bool(_) | Value::String(_) => {}
    }
}

/// The same for the fields of an object.
pub fn canonical_root(map: &mut Map<String, Value>) {
    if !map.keys().is_sorted() {
        map.sort_keys();
    }
    map.values_mut().for_each(canonical);
}

/// A floating number without a fraction as a whole one, as Go writes it.
#[must_use]
pub fn whole(number: &Number) -> Option<Number> {
    const MAX: f64 = 9.2e18;
    let float = number.as_f64().filter(|_| number.is_f64())?;
    #[allow(clippy::cast_possible_truncation, reason = "checked to be whole and within the range")]
    (float.fract() == 0.0 && float.abs() < MAX).then(|| Number::from(float as i64))
}

/// Whether two values are the same, however their numbers are written.
#[must_use]
pub fn equal(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => a == b || a.as_f64() == b.as_f64(),
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| equal(a, b)),
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(key, a)| b.get(key).is_some_and(|b| equal(a, b)))
        }
        _ => a == b,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn numbers_are_printed_as_go_prints_them() {
        for (number, text) in [(1.0, "1"), (0.5, "0.5"), (1e21, "1e+21"), (1e-5, "1e-05"), (123456.0, "123456")] {
            assert_eq!(float(number), text);
        }
    }

    #[test]
    fn values_are_printed_as_go_prints_them() {
        let value = json!({"b": [1, 0.5, "x y"], "a": {"c": null, "d": true}});
        assert_eq!(print(&value), "map[a:map[c:<nil> d:true] b:[1 0.5 x y]]");
    }

    #[test]
    fn keys_are_sorted_and_whole_numbers_are_whole() {
        let mut value = json!({"b": 1.0, "a": [2.5, {"d": 1, "c": 2}]});
        canonical(&mut value);
        assert_eq!(value.to_string(), r#"{"a":[2.5,{"c":2,"d":1}],"b":1}"#);
    }
}
