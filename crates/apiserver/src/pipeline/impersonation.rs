//! Acting as somebody else, for those who may (`k8s.io/apiserver/pkg/endpoints/filters/impersonation`).

use nakhoda_api::{GroupVersionResource, Status};

use super::Pipeline;
use crate::authz::Attributes;
use crate::request::{ResourceTarget, Target};
use crate::user::{AUTHENTICATED, UNAUTHENTICATED, User};

/// The other user, once every part of it was authorized.
pub(crate) fn assume(pipeline: &Pipeline, user: &User, other: &User) -> Result<User, Status> {
    for target in parts(other) {
        let attributes = Attributes {
            user: user.clone(),
            verb: "impersonate".into(),
            target: Target::Resource(target),
            fields: String::new(),
        };
        pipeline.authorize(&attributes)?;
    }
    let mut assumed = other.clone();
    complete(&mut assumed);
    Ok(assumed)
}

fn parts(other: &User) -> Vec<ResourceTarget> {
    let part = |group: &str, version: &str, resource: &str, namespace: &str, name: &str, sub: &str| ResourceTarget {
        gvr: GroupVersionResource::new(group, version, resource),
        namespace: namespace.into(),
        name: name.into(),
        subresource: sub.into(),
        path: String::new(),
    };
    let authentication = "authentication.k8s.io";
    let mut parts = vec![match service_account(&other.name) {
        Some((namespace, name)) => part("", "v1", "serviceaccounts", namespace, name, ""),
        None => part("", "v1", "users", "", &other.name, ""),
    }];
    parts.extend(other.groups.iter().map(|group| part("", "v1", "groups", "", group, "")));
    if !other.uid.is_empty() {
        parts.push(part(authentication, "v1", "uids", "", &other.uid, ""));
    }
    for (key, values) in &other.extra {
        parts.extend(values.iter().map(|value| part(authentication, "v1", "userextras", "", value, key)));
    }
    parts
}

/// What authentication would have added.
fn complete(user: &mut User) {
    if user.groups.is_empty()
        && let Some((namespace, _)) = service_account(&user.name)
    {
        user.groups = vec!["system:serviceaccounts".into(), format!("system:serviceaccounts:{namespace}")];
    }
    let anonymous = user.name == "system:anonymous";
    let group = if anonymous { UNAUTHENTICATED } else { AUTHENTICATED };
    if !user.is_in(group) && !user.is_in(UNAUTHENTICATED) {
        user.groups.push(group.into());
    }
}

fn service_account(name: &str) -> Option<(&str, &str)> {
    name.strip_prefix("system:serviceaccount:")?.split_once(':')
}
