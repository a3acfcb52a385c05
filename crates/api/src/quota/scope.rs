//! Conditions on one name: the class of a pod's priority, of a volume's attributes.

use super::Requirement;

/// Whether one of the names fulfils a condition; without any it is one that must not be there.
pub(super) fn holds<'a>(requirement: &Requirement, names: impl IntoIterator<Item = &'a str>) -> bool {
    let listed = |name: &str| requirement.values.iter().flatten().any(|value| value == name);
    let mut names = names.into_iter().peekable();
    let none = names.peek().is_none();
    match requirement.operator.as_str() {
        "Exists" => !none,
        "DoesNotExist" => none,
        "In" => names.any(listed),
        "NotIn" => none || names.any(|name| !listed(name)),
        _ => false,
    }
}
