//! Paths into a schema as definitions write them: `.spec.a`, `['odd.name']`, `.list[0]`.

use super::Schema;

/// One step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// A field or a key.
    Name(String),
    /// An item.
    Index(usize),
}

/// Why a text is no path, or leads nowhere.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PathError {
    /// The text cannot be read.
    #[error("{0}")]
    Syntax(String),
    /// There is no such field.
    #[error("does not refer to a valid field")]
    Nowhere,
}

/// The steps of a path, without knowing of what.
pub fn parse(text: &str) -> Result<Vec<Step>, PathError> {
    let syntax = |why: &str| PathError::Syntax(why.to_owned());
    let mut steps = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        if first == '.' {
            let end = rest[1..].find(['.', '[']).map_or(rest.len(), |end| end + 1);
            let name = &rest[1..end];
            if name.is_empty() {
                return Err(syntax("unexpected end of JSON path"));
            }
            steps.push(Step::Name(name.to_owned()));
            rest = &rest[end..];
        } else if let Some(quoted) = rest.strip_prefix("['") {
            let (name, behind) = quoted.split_once("']").ok_or_else(|| syntax("unterminated string"))?;
            steps.push(Step::Name(name.replace("\\'", "'")));
            rest = behind;
        } else if let Some(number) = rest.strip_prefix('[') {
            let (index, behind) = number.split_once(']').ok_or_else(|| syntax("unexpected end of JSON path"))?;
            steps.push(Step::Index(index.parse().map_err(|_| syntax("expected a number"))?));
            rest = behind;
        } else {
            return Err(syntax(&format!("expected [ or . but got: {rest}")));
        }
    }
    if steps.is_empty() { Err(syntax("expected [ or . but got EOF")) } else { Ok(steps) }
}

/// Where a path leads within a schema.
pub fn find<'a>(schema: &'a Schema, text: &str) -> Result<(Vec<Step>, &'a Schema), PathError> {
    let steps = parse(text)?;
    let mut at = schema;
    for step in &steps {
        at = match step {
            Step::Name(name) => at.properties.get(name).or_else(|| at.value()),
            Step::Index(_) => at.item(),
        }
        .ok_or(PathError::Nowhere)?;
    }
    Ok((steps, at))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_path_leads_through_fields_keys_and_items() {
        let schema =
            Schema::parse(&json!({"properties": {"a": {"additionalProperties": {"items": {"type": "string"}}}}}));
        let schema = schema.expect("a schema");
        assert_eq!(find(&schema, ".a['x.y'][0]").expect("found").1.kind, "string");
        assert_eq!(find(&schema, ".b").expect_err("nowhere"), PathError::Nowhere);
        assert!(matches!(parse("a"), Err(PathError::Syntax(_))));
        assert!(matches!(parse(".a."), Err(PathError::Syntax(_))));
    }
}
