//! `-o custom-columns`.

use serde_json::Value;

use super::table::Rows;
use crate::Error;
use nakhoda_api::jsonpath::Template;

/// Heads, and where their cells come from.
#[derive(Clone, Debug, PartialEq)]
pub struct Columns(Vec<(String, Template)>);

// === impl Columns ===

impl Columns {
    /// Reads `NAME:.metadata.name,…`.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let columns = text.split(',').map(|part| {
            let (head, path) = part.split_once(':').ok_or_else(|| Error::Format(part.into()))?;
            let path = path.trim_start_matches('{').trim_end_matches('}');
            Ok((head.to_owned(), Template::parse(&format!("{{{path}}}"))?))
        });
        Ok(Self(columns.collect::<Result<_, Error>>()?))
    }

    /// One row for each item.
    #[must_use]
    pub fn text(&self, items: &[&Value]) -> String {
        let cell = |template: &Template, item: &Value| match template.text(item) {
            text if text.is_empty() => "<none>".into(),
            text => text.replace(' ', ","),
        };
        let rows = items.iter().map(|item| self.0.iter().map(|(_, path)| cell(path, item)).collect()).collect();
        Rows { heads: self.0.iter().map(|(head, _)| head.clone()).collect(), rows }.text(false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_is_not_there_is_none() {
        let columns = Columns::parse("NAME:.metadata.name,X:.x").expect("columns");
        let item = json!({"metadata": {"name": "a"}});
        assert_eq!(columns.text(&[&item]), "NAME   X\na      <none>\n");
    }
}
