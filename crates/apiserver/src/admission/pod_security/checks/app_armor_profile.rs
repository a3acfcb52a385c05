//! AppArmor stays on, by field and by the older annotations.

use std::collections::BTreeSet;

use nakhoda_api::kinds::core::AppArmorProfile;

use super::{Check, Fault, Level, Subject, text};

const ANNOTATION: &str = "container.apparmor.security.beta.kubernetes.io/";

pub(super) const CHECK: Check =
    Check { id: "appArmorProfile", level: Level::Baseline, versions: &[(0, look)], instead_of: None };

fn look(pod: &Subject<'_>) -> Option<Fault> {
    let of_pod = pod.spec.security_context.as_ref().and_then(|s| bad(s.app_armor_profile.as_ref()));
    let of = |one: &super::super::subject::Part<'_>| {
        one.security.and_then(|s| bad(s.app_armor_profile.as_ref())).map(str::to_owned)
    };
    let names = pod.named(|one| of(one).is_some());
    let types: BTreeSet<String> =
        pod.containers.iter().filter_map(of).chain(of_pod.map(str::to_owned)).collect();
    let mut values: Vec<String> = types.into_iter().collect();
    let mut setters: Vec<String> = text::setters(of_pod.is_some(), &names).into_iter().collect();
    let noted: Vec<String> = pod.annotations.iter().filter(|(key, value)| key.starts_with(ANNOTATION) && !allowed(value))
        .map(|(key, value)| format!("{key}={value:?}"))
        .collect();
    if !noted.is_empty() {
        setters.push(text::plural(noted.len(), "annotation", "annotations").into());
        values.extend(noted);
    }
    if setters.is_empty() {
        return None;
    }
    let reason = text::plural(values.len(), "forbidden AppArmor profile", "forbidden AppArmor profiles");
    let told = format!("{} must not set AppArmor profile type to {}", setters.join(" and "), text::quoted(&values));
    Fault::new(reason, told)
}

fn bad(profile: Option<&AppArmorProfile>) -> Option<&str> {
    profile.map(|profile| profile.type_.as_str()).filter(|kind| !["RuntimeDefault", "Localhost"].contains(kind))
}

fn allowed(value: &str) -> bool {
    value.is_empty() || value == "runtime/default" || value.starts_with("localhost/")
}
