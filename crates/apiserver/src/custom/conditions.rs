//! What becomes of a definition's names, and what its status says of that: a plain function of the definition, the
//! others of its group and the clock (`pkg/controller/{status,establish,apiapproval,nonstructuralschema}`).

use std::collections::HashSet;

use jiff::Timestamp;
use nakhoda_api::kinds::apiextensions::{
    CustomResourceDefinition, CustomResourceDefinitionCondition as Condition, CustomResourceDefinitionNames,
    CustomResourceDefinitionStatus,
};
use nakhoda_api::kinds::meta::Time;

use crate::kinds::apiextensions::custom_resource_definition::{Approval, approval, is_protected};

/// The status that a definition should have; the same as it has if there is nothing to tell.
#[must_use]
pub fn plan(
    crd: &CustomResourceDefinition,
    group: &[&CustomResourceDefinition],
    now: Timestamp,
) -> CustomResourceDefinitionStatus {
    let mut status = crd.status.clone().unwrap_or_default();
    let accepted = status.accepted_names.clone().unwrap_or_default();
    if accepted != crd.spec.names {
        let (names, condition) = settle(crd, &accepted, &taken(group));
        let good = condition.status == "True";
        status.accepted_names = Some(names);
        set(&mut status, condition, now);
        if !good && find(&status, "Established").is_none() {
            set(&mut status, told("Established", "False", "NotAccepted", "not all names are accepted"), now);
        }
    }
    let good = |kind: &str| find(&status, kind).is_some_and(|condition| condition.status == "True");
    if good("NamesAccepted") && !good("Established") {
        let condition = told("Established", "True", "InitialNamesAccepted", "the initial names have been accepted");
        set(&mut status, condition, now);
    }
    if is_protected(&crd.spec.group) {
        set(&mut status, conformant(crd), now);
    }
    status
}

/// Names and kinds that definitions of the group have been given.
fn taken(group: &[&CustomResourceDefinition]) -> (HashSet<String>, HashSet<String>) {
    let (mut resources, mut kinds) = (HashSet::new(), HashSet::new());
    let accepted = group.iter().filter_map(|crd| crd.status.as_ref()?.accepted_names.as_ref());
    for names in accepted {
        resources.insert(names.plural.clone());
        resources.extend(names.singular.clone());
        resources.extend(names.short_names.iter().flatten().cloned());
        kinds.insert(names.kind.clone());
        kinds.extend(names.list_kind.clone());
    }
    (resources, kinds)
}

/// The names that a definition gets: of those it asks for the ones that are free, and else those it had.
fn settle(
    crd: &CustomResourceDefinition,
    accepted: &CustomResourceDefinitionNames,
    (resources, kinds): &(HashSet<String>, HashSet<String>),
) -> (CustomResourceDefinitionNames, Condition) {
    let asked = &crd.spec.names;
    let mut names = accepted.clone();
    let mut condition = told("NamesAccepted", "True", "NoConflicts", "no conflicts found");
    let mut conflict = |reason: &str, why: String| condition = told("NamesAccepted", "False", reason, &why);
    let in_use = |name: &str| format!("{name:?} is already in use");
    let clashes = |asked: &str, had: &str, used: &HashSet<String>| asked != had && used.contains(asked);
    let (singular, list_kind) =
        (asked.singular.clone().unwrap_or_default(), asked.list_kind.clone().unwrap_or_default());
    if clashes(&asked.plural, &accepted.plural, resources) {
        conflict("PluralConflict", in_use(&asked.plural));
    } else {
        names.plural.clone_from(&asked.plural);
    }
    if clashes(&singular, accepted.singular.as_deref().unwrap_or_default(), resources) {
        conflict("SingularConflict", in_use(&singular));
    } else {
        names.singular = Some(singular);
    }
    let had = accepted.short_names.clone().unwrap_or_default();
    let wanted = asked.short_names.clone().unwrap_or_default();
    let clashing: Vec<String> =
        wanted.iter().filter(|name| !had.contains(name) && resources.contains(*name)).map(|n| in_use(n)).collect();
    match clashing.as_slice() {
        [] => names.short_names.clone_from(&asked.short_names),
        [one] => conflict("ShortNamesConflict", one.clone()),
        many => conflict("ShortNamesConflict", format!("[{}]", many.join(", "))),
    }
    if clashes(&asked.kind, &accepted.kind, kinds) {
        conflict("KindConflict", in_use(&asked.kind));
    } else {
        names.kind.clone_from(&asked.kind);
    }
    if clashes(&list_kind, accepted.list_kind.as_deref().unwrap_or_default(), kinds) {
        conflict("ListKindConflict", in_use(&list_kind));
    } else {
        names.list_kind = Some(list_kind);
    }
    names.categories.clone_from(&asked.categories);
    (names, condition)
}

fn conformant(crd: &CustomResourceDefinition) -> Condition {
    let (state, why) = approval(crd.metadata.annotations.as_ref());
    let (status, reason) = match state {
        Approval::Invalid => ("False", "InvalidAnnotation"),
        Approval::Missing => ("False", "MissingAnnotation"),
        Approval::Approved => ("True", "ApprovedAnnotation"),
        Approval::Bypassed => ("False", "UnapprovedAnnotation"),
    };
    told("KubernetesAPIApprovalPolicyConformant", status, reason, &why)
}

/// A condition without a time.
#[must_use]
pub fn told(kind: &str, status: &str, reason: &str, message: &str) -> Condition {
    Condition {
        type_: kind.into(),
        status: status.into(),
        reason: Some(reason.into()),
        message: Some(message.into()),
        ..Condition::default()
    }
}

/// Puts a condition in; its time is that of the change of its status.
pub fn set(status: &mut CustomResourceDefinitionStatus, mut condition: Condition, now: Timestamp) {
    let conditions = status.conditions.get_or_insert_default();
    let Some(old) = conditions.iter_mut().find(|old| old.type_ == condition.type_) else {
        condition.last_transition_time = Some(Time(now));
        return conditions.push(condition);
    };
    let same = old.status == condition.status;
    condition.last_transition_time = old.last_transition_time.clone().filter(|_| same).or(Some(Time(now)));
    condition.observed_generation = old.observed_generation;
    *old = condition;
}

fn find<'a>(status: &'a CustomResourceDefinitionStatus, kind: &str) -> Option<&'a Condition> {
    status.conditions.iter().flatten().find(|condition| condition.type_ == kind)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn crd(plural: &str, kind: &str, short: &[&str]) -> CustomResourceDefinition {
        let names = json!({"plural": plural, "singular": kind.to_lowercase(), "kind": kind,
            "listKind": format!("{kind}List"), "shortNames": short});
        let crd =
            json!({"metadata": {}, "spec": {"group": "e.com", "scope": "Cluster", "names": names, "versions": []}});
        serde_json::from_value(crd).expect("a definition")
    }

    fn conditions(status: &CustomResourceDefinitionStatus) -> Vec<(&str, &str, &str)> {
        let all = status.conditions.iter().flatten();
        all.map(|c| (c.type_.as_str(), c.status.as_str(), c.reason.as_deref().unwrap_or_default())).collect()
    }

    #[test]
    fn free_names_are_accepted_and_the_kind_is_established() {
        let crd = crd("foos", "Foo", &["f"]);
        let status = plan(&crd, &[], Timestamp::UNIX_EPOCH);
        assert_eq!(status.accepted_names.as_ref(), Some(&crd.spec.names));
        let expected = [("NamesAccepted", "True", "NoConflicts"), ("Established", "True", "InitialNamesAccepted")];
        assert_eq!(conditions(&status), expected);
        let again = CustomResourceDefinition { status: Some(status.clone()), ..crd };
        assert_eq!(plan(&again, &[], Timestamp::now()), status);
    }

    #[test]
    fn a_name_in_use_is_refused_and_the_others_are_given() {
        let mut first = crd("foos", "Foo", &["f"]);
        first.status = Some(plan(&first, &[], Timestamp::UNIX_EPOCH));
        let second = crd("bars", "Foo", &["f", "b"]);
        let status = plan(&second, &[&first], Timestamp::UNIX_EPOCH);
        assert_eq!(conditions(&status)[0], ("NamesAccepted", "False", "ListKindConflict"));
        assert_eq!(conditions(&status)[1], ("Established", "False", "NotAccepted"));
        let names = serde_json::to_value(status.accepted_names).expect("JSON");
        assert_eq!((&names["plural"], &names["kind"]), (&json!("bars"), &json!("")));
        assert_eq!(names.get("shortNames"), None::<&Value>);
    }
}
