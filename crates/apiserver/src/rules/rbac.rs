//! Rules, roles and subjects of RBAC.

use nakhoda_api::field::{Errors, Path};
use nakhoda_api::kinds::rbac::{PolicyRule, RoleRef, Subject};
use nakhoda_api::names;

use crate::kind::Columns;
use crate::rules::check::{each, list, required, subdomain, supported, text};

/// The API group, which references carry.
pub const GROUP: &str = "rbac.authorization.k8s.io";

/// Rules of a Role (namespaced) or a ClusterRole.
pub fn rules(errors: &mut Errors, rules: &Option<Vec<PolicyRule>>, namespaced: bool) {
    for (i, one) in list(rules).iter().enumerate() {
        rule(errors, &Path::new("rules").index(i), one, namespaced);
    }
}

fn rule(errors: &mut Errors, path: &Path, rule: &PolicyRule, namespaced: bool) {
    if rule.verbs.is_empty() {
        errors.required(&path.child("verbs"), "verbs must contain at least one value");
    }
    let (groups, resources) = (list(&rule.api_groups), list(&rule.resources));
    let urls = list(&rule.non_resource_urls);
    if urls.is_empty() {
        if groups.is_empty() {
            errors.required(&path.child("apiGroups"), "resource rules must supply at least one api group");
        }
        if resources.is_empty() {
            errors.required(&path.child("resources"), "resource rules must supply at least one resource");
        }
        return;
    }
    let at = path.child("nonResourceURLs");
    if namespaced {
        errors.invalid(&at, urls.to_vec(), "namespaced rules cannot apply to non-resource URLs");
    }
    if !groups.is_empty() || !resources.is_empty() || !list(&rule.resource_names).is_empty() {
        errors.invalid(&at, urls.to_vec(), "rules cannot apply to both regular resources and non-resource URLs");
    }
}

/// References without a group mean this one.
pub fn default(role: &mut RoleRef, subjects: &mut Option<Vec<Subject>>) {
    crate::rules::defaults::fill(&mut role.api_group, GROUP);
    for subject in subjects.iter_mut().flatten().filter(|s| ["User", "Group"].contains(&s.kind.as_str())) {
        crate::rules::defaults::fill(&mut subject.api_group, GROUP);
    }
}

/// What a binding binds; the kinds of roles come sorted as upstream lists them.
pub fn binding(errors: &mut Errors, role: &RoleRef, subjects: &Option<Vec<Subject>>, kinds: &[&str]) {
    let path = Path::new("roleRef");
    supported(errors, &path.child("apiGroup"), text(&role.api_group), &[GROUP]);
    supported(errors, &path.child("kind"), &role.kind, kinds);
    required(errors, &path.child("name"), &role.name);
    each(errors, &path.child("name"), role.name.as_str(), names::is_path_segment_name(&role.name));
    let namespaced = kinds.len() > 1;
    for (i, one) in list(subjects).iter().enumerate() {
        subject(errors, &Path::new("subjects").index(i), one, namespaced);
    }
}

fn subject(errors: &mut Errors, path: &Path, subject: &Subject, namespaced: bool) {
    required(errors, &path.child("name"), &subject.name);
    let group = text(&subject.api_group);
    match subject.kind.as_str() {
        "ServiceAccount" => {
            if !subject.name.is_empty() {
                subdomain(errors, &path.child("name"), &subject.name);
            }
            supported(errors, &path.child("apiGroup"), group, &[""]);
            if !namespaced {
                required(errors, &path.child("namespace"), text(&subject.namespace));
            }
        }
        "User" | "Group" => supported(errors, &path.child("apiGroup"), group, &[GROUP]),
        other => errors.not_supported(&path.child("kind"), other, &["ServiceAccount", "User", "Group"]),
    }
}

/// A binding to one role stays a binding to it.
pub fn role_stays(errors: &mut Errors, new: &RoleRef, old: &RoleRef) {
    if new != old {
        let shown = serde_json::to_value(new).unwrap_or_default();
        errors.invalid(&Path::new("roleRef"), shown, "cannot change roleRef");
    }
}

/// Both kinds of bindings, as far as rows show them.
pub trait Binding: k8s_openapi::Metadata<Ty = nakhoda_api::kinds::meta::ObjectMeta> {
    /// What is bound.
    fn role(&self) -> &RoleRef;
    /// To whom.
    fn subjects(&self) -> &[Subject];
}

/// The columns of a binding.
#[must_use]
pub fn columns<T: Binding>() -> Columns<T> {
    Columns::named()
        .text("Role", |b: &T, _| format!("{}/{}", b.role().kind, b.role().name).into())
        .age()
        .wide("Users", |b, _| subjects(b, "User").into())
        .wide("Groups", |b, _| subjects(b, "Group").into())
        .wide("ServiceAccounts", |b, _| subjects(b, "ServiceAccount").into())
}

fn subjects(binding: &impl Binding, kind: &str) -> String {
    let name = |s: &Subject| match (kind, text(&s.namespace)) {
        ("ServiceAccount", namespace) if !namespace.is_empty() => format!("{namespace}/{}", s.name),
        _ => s.name.clone(),
    };
    binding.subjects().iter().filter(|s| s.kind == kind).map(name).collect::<Vec<_>>().join(", ")
}
