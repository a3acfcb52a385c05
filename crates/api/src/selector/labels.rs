//! Label selectors: `a=b,c!=d,e in (f,g),!h` (`k8s.io/apimachinery/pkg/labels`).

use std::collections::BTreeMap;
use std::fmt;

use super::{Labels, SelectorError};
use crate::field::{Errors, Path};
use crate::kinds::meta;
use crate::names;

mod parser;

/// A selector: requirements of which all must hold.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct LabelSelector {
    requirements: Vec<Requirement>,
    nothing: bool,
}

/// One condition on one label.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Requirement {
    /// The label.
    pub key: String,
    /// The condition.
    pub operator: Operator,
    /// Sorted where they came from text.
    pub values: Vec<String>,
}

/// Conditions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are upstream's")]
pub enum Operator {
    In,
    NotIn,
    Equals,
    DoubleEquals,
    NotEquals,
    Exists,
    DoesNotExist,
    GreaterThan,
    LessThan,
}

// === impl LabelSelector ===

impl LabelSelector {
    /// Matches every object.
    #[must_use]
    pub const fn everything() -> Self {
        Self { requirements: Vec::new(), nothing: false }
    }

    /// Matches no object: what an absent `spec.selector` means.
    #[must_use]
    pub const fn nothing() -> Self {
        Self { requirements: Vec::new(), nothing: true }
    }

    /// Reads the text of a query parameter.
    pub fn parse(text: &str) -> Result<Self, SelectorError> {
        parser::parse(text).map(Self::of)
    }

    /// Of requirements; they are kept sorted by key, so that equal selectors print alike.
    #[must_use]
    pub fn of(mut requirements: Vec<Requirement>) -> Self {
        requirements.sort_by(|a, b| a.key.cmp(&b.key));
        Self { requirements, nothing: false }
    }

    /// The plain map of a Service or a ReplicationController; an empty one matches everything.
    #[must_use]
    pub fn from_map(map: &BTreeMap<String, String>) -> Self {
        Self::of(map.iter().map(|(k, v)| Requirement::equals(k, v)).collect())
    }

    /// Whether it restricts nothing.
    #[must_use]
    pub const fn is_everything(&self) -> bool {
        !self.nothing && self.requirements.is_empty()
    }

    /// Whether labels satisfy all requirements.
    pub fn matches(&self, labels: &(impl Labels + ?Sized)) -> bool {
        !self.nothing && self.requirements.iter().all(|r| r.matches(labels.value(&r.key)))
    }

    /// Adds a requirement, unless it is there.
    pub fn require(&mut self, requirement: Requirement) {
        if !self.requirements.contains(&requirement) {
            let at = self.requirements.partition_point(|r| r.key <= requirement.key);
            self.requirements.insert(at, requirement);
        }
    }

    /// The requirements, sorted by key.
    #[must_use]
    pub fn requirements(&self) -> &[Requirement] {
        &self.requirements
    }
}

/// The selector that an object carries: absent matches nothing, empty matches everything.
pub fn from_typed(selector: Option<&meta::LabelSelector>) -> Result<LabelSelector, SelectorError> {
    let Some(selector) = selector else { return Ok(LabelSelector::nothing()) };
    let mut requirements = Vec::new();
    for (key, value) in selector.match_labels.iter().flatten() {
        requirements.push(Requirement::new(key, Operator::Equals, vec![value.clone()])?);
    }
    for expression in selector.match_expressions.iter().flatten() {
        let operator = match expression.operator.as_str() {
            "In" => Operator::In,
            "NotIn" => Operator::NotIn,
            "Exists" => Operator::Exists,
            "DoesNotExist" => Operator::DoesNotExist,
            other => return Err(SelectorError::Operator(other.into())),
        };
        requirements.push(Requirement::new(&expression.key, operator, expression.values.clone().unwrap_or_default())?);
    }
    Ok(LabelSelector::of(requirements))
}

impl fmt::Display for LabelSelector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, requirement) in self.requirements.iter().enumerate() {
            write!(f, "{}{requirement}", if i > 0 { "," } else { "" })?;
        }
        Ok(())
    }
}

// === impl Requirement ===

impl Requirement {
    /// Checks key and values.
    pub fn new(key: &str, operator: Operator, values: Vec<String>) -> Result<Self, SelectorError> {
        let mut errors = Errors::default();
        let path = Path::default();
        let at = path.child("values");
        check_key(key, &path.child("key"), &mut errors);
        if let Some(text) = operator.count_fault(values.len()) {
            errors.invalid(&at, values.clone(), text);
        }
        for (i, value) in values.iter().enumerate() {
            if operator.is_order() && value.parse::<i64>().is_err() {
                errors.invalid(&at.index(i), value.clone(), "for 'Gt', 'Lt' operators, the value must be an integer");
            }
        }
        for (i, value) in values.iter().enumerate() {
            let faults = names::is_label_value(value);
            if !faults.is_empty() {
                errors.invalid(&at.index(i).key(key), value.clone(), faults.join("; "));
            }
        }
        if errors.is_empty() {
            Ok(Self { key: key.into(), operator, values })
        } else {
            Err(SelectorError::Fields(errors))
        }
    }

    fn equals(key: &str, value: &str) -> Self {
        Self { key: key.into(), operator: Operator::Equals, values: vec![value.into()] }
    }

    /// Whether the value of the label, or its absence, satisfies this.
    #[must_use]
    pub fn matches(&self, value: Option<&str>) -> bool {
        let listed = || value.is_some_and(|v| self.values.iter().any(|w| w == v));
        match self.operator {
            Operator::In | Operator::Equals | Operator::DoubleEquals => listed(),
            Operator::NotIn | Operator::NotEquals => !listed(),
            Operator::Exists => value.is_some(),
            Operator::DoesNotExist => value.is_none(),
            Operator::GreaterThan => self.ordered(value).is_some_and(|(a, b)| a > b),
            Operator::LessThan => self.ordered(value).is_some_and(|(a, b)| a < b),
        }
    }

    fn ordered(&self, value: Option<&str>) -> Option<(i64, i64)> {
        Some((value?.parse().ok()?, self.values.first()?.parse().ok()?))
    }
}

fn check_key(key: &str, path: &Path, errors: &mut Errors) {
    let faults = names::is_qualified_name(key);
    if !faults.is_empty() {
        errors.invalid(path, key, faults.join("; "));
    }
}

impl fmt::Display for Requirement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut values = self.values.clone();
        values.sort();
        let (key, values) = (&self.key, values.join(","));
        match self.operator {
            Operator::In => write!(f, "{key} in ({values})"),
            Operator::NotIn => write!(f, "{key} notin ({values})"),
            Operator::Equals => write!(f, "{key}={values}"),
            Operator::DoubleEquals => write!(f, "{key}=={values}"),
            Operator::NotEquals => write!(f, "{key}!={values}"),
            Operator::GreaterThan => write!(f, "{key}>{values}"),
            Operator::LessThan => write!(f, "{key}<{values}"),
            Operator::Exists => f.write_str(key),
            Operator::DoesNotExist => write!(f, "!{key}"),
        }
    }
}

// === impl Operator ===

impl Operator {
    const fn is_order(self) -> bool {
        matches!(self, Self::GreaterThan | Self::LessThan)
    }

    fn count_fault(self, count: usize) -> Option<&'static str> {
        let (fits, text) = match self {
            Self::In | Self::NotIn => (count > 0, "for 'in', 'notin' operators, values set can't be empty"),
            Self::Equals | Self::DoubleEquals | Self::NotEquals => {
                (count == 1, "exact-match compatibility requires one single value")
            }
            Self::Exists | Self::DoesNotExist => (count == 0, "values set must be empty for exists and does not exist"),
            Self::GreaterThan | Self::LessThan => {
                (count == 1, "for 'Gt', 'Lt' operators, exactly one value is required")
            }
        };
        (!fits).then_some(text)
    }
}

#[cfg(test)]
mod tests;
