//! Whether some rules allow all that others allow
//! (`k8s.io/component-helpers/auth/rbac/validation.Covers`).

use std::collections::BTreeMap;

use nakhoda_api::kinds::rbac::PolicyRule;

/// One verb on one thing.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Thing<'a> {
    Path(&'a str),
    Resource { group: &'a str, resource: &'a str, name: Option<&'a str> },
}

/// What is wanted and not held, a line for each thing, as upstream prints it.
pub(super) fn missing(held: &[PolicyRule], wanted: &[PolicyRule]) -> Vec<String> {
    let mut lacking: BTreeMap<Thing<'_>, Vec<&str>> = BTreeMap::new();
    for rule in wanted {
        for thing in things(rule) {
            for verb in &rule.verbs {
                if !held.iter().any(|rule| covers(rule, &thing, verb)) {
                    lacking.entry(thing.clone()).or_default().push(verb);
                }
            }
        }
    }
    lacking.iter().map(|(thing, verbs)| line(thing, verbs)).collect()
}

fn things(rule: &PolicyRule) -> Vec<Thing<'_>> {
    let mut things: Vec<Thing<'_>> = listed(rule.non_resource_urls.as_ref()).map(Thing::Path).collect();
    for group in listed(rule.api_groups.as_ref()) {
        for resource in listed(rule.resources.as_ref()) {
            let mut names = listed(rule.resource_names.as_ref()).peekable();
            if names.peek().is_none() {
                things.push(Thing::Resource { group, resource, name: None });
            }
            things.extend(names.map(|name| Thing::Resource { group, resource, name: Some(name) }));
        }
    }
    things
}

fn covers(rule: &PolicyRule, thing: &Thing<'_>, verb: &str) -> bool {
    if !rule.verbs.iter().any(|held| held == "*" || held == verb) {
        return false;
    }
    match thing {
        Thing::Path(path) => listed(rule.non_resource_urls.as_ref()).any(|held| match held.strip_suffix('*') {
            Some(prefix) => path.starts_with(prefix),
            None => held == *path,
        }),
        Thing::Resource { group, resource, name } => {
            let mut names = listed(rule.resource_names.as_ref()).peekable();
            let named = names.peek().is_none() || names.any(|held| Some(held) == *name);
            named
                && listed(rule.api_groups.as_ref()).any(|held| held == "*" || held == *group)
                && listed(rule.resources.as_ref()).any(|held| covers_resource(held, resource))
        }
    }
}

/// `*` covers all, `*/scale` every resource's scale.
fn covers_resource(held: &str, wanted: &str) -> bool {
    held == "*"
        || held == wanted
        || held.strip_prefix("*/").is_some_and(|sub| wanted.split_once('/').is_some_and(|(_, s)| s == sub))
}

fn line(thing: &Thing<'_>, verbs: &[&str]) -> String {
    let quoted = |list: &[&str]| list.iter().map(|text| format!("{text:?}")).collect::<Vec<_>>().join(" ");
    let verbs = quoted(verbs);
    match thing {
        Thing::Path(path) => format!("{{NonResourceURLs:[{path:?}], Verbs:[{verbs}]}}"),
        Thing::Resource { group, resource, name: None } => {
            format!("{{APIGroups:[{group:?}], Resources:[{resource:?}], Verbs:[{verbs}]}}")
        }
        Thing::Resource { group, resource, name: Some(name) } => {
            format!("{{APIGroups:[{group:?}], Resources:[{resource:?}], ResourceNames:[{name:?}], Verbs:[{verbs}]}}")
        }
    }
}

fn listed(list: Option<&Vec<String>>) -> impl Iterator<Item = &str> {
    list.into_iter().flatten().map(String::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(group: &str, resource: &str, names: &[&str], verbs: &[&str]) -> PolicyRule {
        let list = |items: &[&str]| items.iter().map(|item| (*item).to_owned()).collect::<Vec<_>>();
        PolicyRule {
            api_groups: Some(vec![group.into()]),
            resources: Some(vec![resource.into()]),
            resource_names: Some(list(names)),
            verbs: list(verbs),
            ..PolicyRule::default()
        }
    }

    #[test]
    fn what_is_held_may_be_granted_and_no_more() {
        let held = [rule("", "pods", &[], &["get", "list"]), rule("apps", "*", &[], &["*"])];
        assert!(
            missing(&held, &[rule("", "pods", &["a"], &["get"]), rule("apps", "deployments/scale", &[], &["patch"])])
                .is_empty()
        );
        assert_eq!(
            missing(&held, &[rule("", "pods", &[], &["get", "delete", "create"])]),
            [r#"{APIGroups:[""], Resources:["pods"], Verbs:["delete" "create"]}"#]
        );
    }

    #[test]
    fn a_right_on_one_object_is_none_on_all() {
        let held = [rule("", "secrets", &["a"], &["get"])];
        assert_eq!(missing(&held, &[rule("", "secrets", &[], &["get"])]).len(), 1);
        assert_eq!(missing(&held, &[rule("", "secrets", &["b"], &["get"])]).len(), 1);
    }
}
