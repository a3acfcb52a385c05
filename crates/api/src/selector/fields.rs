//! Field selectors: `metadata.name=a,status.phase!=Running` (`k8s.io/apimachinery/pkg/fields`).

use std::fmt;

use super::SelectorError;

/// A selector: terms of which all must hold.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct FieldSelector(Vec<Term>);

/// One condition on one field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Term {
    /// For example `spec.nodeName`.
    pub field: String,
    /// `=` or `!=`.
    pub equal: bool,
    /// Without escapes.
    pub value: String,
}

// === impl FieldSelector ===

impl FieldSelector {
    /// Matches every object.
    #[must_use]
    pub const fn everything() -> Self {
        Self(Vec::new())
    }

    /// Objects whose field has a value.
    #[must_use]
    pub fn equals(field: impl Into<String>, value: impl Into<String>) -> Self {
        Self(vec![Term { field: field.into(), equal: true, value: value.into() }])
    }

    /// Of terms.
    #[must_use]
    pub const fn of(terms: Vec<Term>) -> Self {
        Self(terms)
    }

    /// Reads the text of a query parameter.
    pub fn parse(text: &str) -> Result<Self, SelectorError> {
        let mut parts = split(text);
        parts.sort_unstable();
        let terms = parts.into_iter().filter(|p| !p.is_empty()).map(|part| {
            let unreadable = || SelectorError::Term { selector: text.into(), term: part.into() };
            let (field, equal, value) = split_term(part).ok_or_else(unreadable)?;
            Ok(Term { field: field.into(), equal, value: unescape(value)? })
        });
        // A term without a field stands for all objects, as upstream has it.
        let terms = terms.collect::<Result<Vec<_>, _>>()?;
        Ok(Self(terms.into_iter().filter(|t| !(t.field.is_empty() && t.value.is_empty())).collect()))
    }

    /// Whether it restricts nothing.
    #[must_use]
    pub const fn is_everything(&self) -> bool {
        self.0.is_empty()
    }

    /// The terms.
    #[must_use]
    pub fn terms(&self) -> &[Term] {
        &self.0
    }

    /// The value that a field must have, if the selector names one.
    #[must_use]
    pub fn required(&self, field: &str) -> Option<&str> {
        self.0.iter().find(|t| t.equal && t.field == field).map(|t| t.value.as_str())
    }

    /// Whether an object's fields satisfy all terms; a field that is not listed counts as empty.
    pub fn matches<K: AsRef<str>, V: AsRef<str>>(&self, fields: &[(K, V)]) -> bool {
        self.holds(|name| fields.iter().find(|(field, _)| field.as_ref() == name).map(|(_, value)| value.as_ref()))
    }

    /// The same of an object that says what a field is.
    pub fn holds<'a>(&self, field: impl Fn(&str) -> Option<&'a str>) -> bool {
        self.0.iter().all(|term| (field(&term.field).unwrap_or_default() == term.value) == term.equal)
    }
}

impl fmt::Display for FieldSelector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, Term { field, equal, value }) in self.0.iter().enumerate() {
            let (comma, sign) = (if i > 0 { "," } else { "" }, if *equal { "=" } else { "!=" });
            write!(f, "{comma}{field}{sign}{}", escape(value))?;
        }
        Ok(())
    }
}

/// Makes a value fit for the text of a selector.
#[must_use]
pub fn escape(value: &str) -> String {
    let mut text = String::with_capacity(value.len());
    for c in value.chars() {
        if matches!(c, '\\' | ',' | '=') {
            text.push('\\');
        }
        text.push(c);
    }
    text
}

fn unescape(text: &str) -> Result<String, SelectorError> {
    let mut value = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some(c @ ('\\' | ',' | '=')) => value.push(c),
                Some(c) => return Err(SelectorError::Escape(format!("\\{c}"))),
                None => return Err(SelectorError::Escape("\\".into())),
            },
            ',' | '=' => return Err(SelectorError::Unescaped(c.into())),
            _ => value.push(c),
        }
    }
    Ok(value)
}

/// At commas that have no backslash before them.
fn split(text: &str) -> Vec<&str> {
    let mut escaped = false;
    text.split(|c| {
        let cut = c == ',' && !escaped;
        escaped = c == '\\' && !escaped;
        cut
    })
    .collect()
}

/// At the first operator.
fn split_term(term: &str) -> Option<(&str, bool, &str)> {
    let at = term.char_indices().find(|(i, c)| *c == '=' || term[*i..].starts_with("!="))?.0;
    let (field, rest) = term.split_at(at);
    if let Some(value) = rest.strip_prefix("!=") {
        return Some((field, false, value));
    }
    Some((field, true, rest.strip_prefix("==").or_else(|| rest.strip_prefix('='))?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terms_match_and_absent_fields_count_as_empty() {
        let fields = [("metadata.name", "a"), ("spec.nodeName", "")];
        for (text, expected) in [
            ("", true),
            ("metadata.name=a", true),
            ("metadata.name==a,spec.nodeName=", true),
            ("metadata.name!=a", false),
            ("status.phase!=Running", true),
            ("status.phase=Running", false),
        ] {
            assert_eq!(FieldSelector::parse(text).expect(text).matches(&fields), expected, "{text}");
        }
    }

    #[test]
    fn values_with_separators_survive_printing() {
        for value in ["a", "a,b", "a=b", r"a\b", r"\,=", ""] {
            let selector = FieldSelector::equals("f", value);
            assert_eq!(FieldSelector::parse(&selector.to_string()), Ok(selector));
        }
    }

    #[test]
    fn faults_read_as_upstream_words_them() {
        for (text, error) in [
            ("a", "invalid selector: 'a'; can't understand 'a'"),
            (r"a=\x", r"invalid field selector: invalid escape sequence: \x"),
            ("a=b=c", "invalid field selector: unescaped character in value: 61"),
        ] {
            assert_eq!(FieldSelector::parse(text).expect_err(text).to_string(), error);
        }
    }
}
