//! `--sort-by`: objects, or the rows of a Table, by the value at a path.

use std::cmp::Ordering;
use std::collections::HashMap;

use serde_json::Value;

use crate::Error;
use nakhoda_api::jsonpath::Template;

/// An order of objects.
#[derive(Clone, Debug, PartialEq)]
pub struct Order(Template);

// === impl Order ===

impl Order {
    /// By a path, with or without braces.
    pub fn parse(path: &str) -> Result<Self, Error> {
        let inner = path.trim_start_matches('{').trim_end_matches('}');
        let dot = if inner.starts_with('.') { "" } else { "." };
        Ok(Self(Template::parse(&format!("{{{dot}{inner}}}"))?))
    }

    /// Numbers as numbers, all else as text; times sort as text.
    #[must_use]
    pub fn compare(&self, a: &Value, b: &Value) -> Ordering {
        let (a, b) = (self.0.text(a), self.0.text(b));
        match (a.parse::<f64>(), b.parse::<f64>()) {
            (Ok(a), Ok(b)) => a.total_cmp(&b),
            _ => a.cmp(&b),
        }
    }

    /// Puts the rows of a Table, which has only metadata, into the order of the objects themselves.
    pub fn sort_table(&self, table: &mut Value, mut objects: Vec<Value>) {
        objects.sort_by(|a, b| self.compare(a, b));
        let place: HashMap<_, _> = objects.iter().enumerate().map(|(index, object)| (key(object), index)).collect();
        if let Some(rows) = table["rows"].as_array_mut() {
            rows.sort_by_key(|row| place.get(&key(&row["object"])).copied().unwrap_or(usize::MAX));
        }
    }
}

fn key(object: &Value) -> (String, String) {
    let field = |name: &str| object["metadata"][name].as_str().unwrap_or_default().to_owned();
    (field("namespace"), field("name"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn rows_follow_the_objects() {
        let object = |name: &str, n: u64| json!({"metadata": {"name": name}, "n": n});
        let row = |name: &str| json!({"object": {"metadata": {"name": name}}});
        let mut table = json!({"rows": [row("a"), row("b"), row("c")]});
        Order::parse(".n")
            .expect("a path")
            .sort_table(&mut table, vec![object("a", 10), object("b", 9), object("c", 1)]);
        let names: Vec<_> =
            table["rows"].as_array().expect("rows").iter().map(|r| r["object"]["metadata"]["name"].clone()).collect();
        assert_eq!(names, ["c", "b", "a"]);
    }
}
