//! What all walks over typed values share: which element of a list an item is, and what a value is made of.

use std::collections::BTreeMap;

use serde_json::Value;

use super::element::Element;
use super::schema::{List, Relation};

/// The items of a list by the elements they are.
pub(super) type Groups<'v> = BTreeMap<Element, Vec<&'v Value>>;

/// An item of a list that is owned item by item cannot be told from the others.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum ItemError {
    /// Null in a list with keys.
    #[error("associative list with keys may not have a null element")]
    NullItem,
    /// A scalar or a list in a list with keys.
    #[error("associative list with keys may not have non-map elements")]
    NotAMap,
    /// None of the keys is there.
    #[error(
        "associative list with keys has an element that omits all key fields {0} (and doesn't have default values for any key fields)"
    )]
    NoKeys(String),
    /// A map in a set.
    #[error("associative list without keys has an element that's a map type")]
    MapInSet,
    /// A list in a set.
    #[error("not supported: associative list with lists as elements")]
    ListInSet,
    /// Null in a set.
    #[error("associative list without keys has an element that's an explicit null")]
    NullInSet,
}

/// Which element of its list an item is.
pub(super) fn element(list: &List<'_>, item: &Value) -> Result<Element, ItemError> {
    let Relation::Keys(keys) = list.relation else {
        return match item {
            Value::Object(_) => Err(ItemError::MapInSet),
            Value::Array(_) => Err(ItemError::ListInSet),
            Value::Null => Err(ItemError::NullInSet),
            scalar => Ok(Element::Value(scalar.clone())),
        };
    };
    let Value::Object(item) = item else {
        return Err(if item.is_null() { ItemError::NullItem } else { ItemError::NotAMap });
    };
    let map = list.element.resolve().map;
    let value = |name: &str| {
        let implied = || map.and_then(|map| map.default_of(name)).map(std::borrow::Cow::into_owned);
        item.get(name).cloned().or_else(implied)
    };
    let fields: Vec<_> = keys.iter().filter_map(|name| Some((name.into(), value(name)?))).collect();
    if fields.is_empty() {
        let names: Vec<_> = keys.iter().map(|name| format!("{name:?}")).collect();
        return Err(ItemError::NoKeys(format!("[{}]", names.join(" "))));
    }
    Ok(Element::key(fields))
}

/// The items of a list by the elements they are. Items that cannot be told apart are left out: whoever must know of
/// them has checked the value before.
pub(super) fn grouped<'v>(list: &List<'_>, value: &'v Value) -> Groups<'v> {
    let mut groups = Groups::new();
    for item in value.as_array().into_iter().flatten() {
        if let Ok(element) = element(list, item) {
            groups.entry(element).or_default().push(item);
        }
    }
    groups
}

/// Whether there is no map with something in it.
pub(super) fn has_no_entries(value: Option<&Value>) -> bool {
    value.and_then(Value::as_object).is_none_or(serde_json::Map::is_empty)
}

/// Whether there is no list with something in it.
pub(super) fn has_no_items(value: Option<&Value>) -> bool {
    value.and_then(Value::as_array).is_none_or(Vec::is_empty)
}
