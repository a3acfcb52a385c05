//! Escalation: nobody grants by a role or a binding what he does not hold himself, unless he has the verb
//! `escalate` on the role or `bind` on the role that is bound. Upstream does this in the storage of the
//! RBAC kinds (`pkg/registry/rbac`).

use futures::future::BoxFuture;
use nakhoda_api::kinds::rbac::{PolicyRule, RoleRef};
use nakhoda_api::{GroupVersionResource, Object, Status};
use serde::de::DeserializeOwned;

use super::{Attributes, Operation, Plugin};
use crate::authz::rbac::Rbac;
use crate::authz::{self, Decision};
use crate::request::{ResourceTarget, Target};
use crate::user::MASTERS;

mod cover;

const GROUP: &str = "rbac.authorization.k8s.io";

/// The plugin.
pub struct Escalation;

impl Plugin for Escalation {
    fn name(&self) -> &'static str {
        "Escalation"
    }

    fn handles(&self, attributes: &Attributes<'_>) -> bool {
        let writes = matches!(attributes.operation, Operation::Create | Operation::Update);
        writes && attributes.call.target.gvr.group == GROUP && !attributes.call.user.is_in(MASTERS)
    }

    fn validate<'a>(
        &'a self,
        attributes: &'a Attributes<'a>,
        object: Option<&'a Object>,
    ) -> BoxFuture<'a, Result<(), Status>> {
        Box::pin(async move { object.map_or(Ok(()), |object| check(attributes, object)) })
    }
}

fn check(attributes: &Attributes<'_>, object: &Object) -> Result<(), Status> {
    // what does not change what is granted needs no right to grant it: the garbage collector writes so
    let granting = ["rules", "aggregationRule", "roleRef", "subjects"];
    if attributes.old.is_some_and(|old| granting.iter().all(|field| old.at(&[field]) == object.at(&[field]))) {
        return Ok(());
    }
    // without RBAC there is nothing that could be escalated
    let Some(rbac) = attributes.call.pipeline.extension::<Rbac>() else { return Ok(()) };
    let resource = attributes.call.target.gvr.resource.as_str();
    let wanted = match resource {
        "roles" | "clusterroles" if may(attributes, resource, object.name(), "escalate") => return Ok(()),
        "roles" | "clusterroles" => granted(object)?,
        _ => {
            let role: RoleRef = field(object, "roleRef")?.unwrap_or_default();
            let bound = if role.kind == "Role" { "roles" } else { "clusterroles" };
            if may(attributes, bound, &role.name, "bind") {
                return Ok(());
            }
            let rules = rbac.read(|index| index.rules(attributes.call.namespace(), &role));
            rules.ok_or_else(|| Status::not_found(&attributes.call.resource(), &role.name))?.to_vec()
        }
    };
    let user = &attributes.call.user;
    let held: Vec<PolicyRule> = rbac.read(|index| {
        index.rules_of(user, attributes.call.namespace()).flat_map(|(_, rules)| rules.to_vec()).collect()
    });
    let missing = cover::missing(&held, &wanted);
    if missing.is_empty() {
        return Ok(());
    }
    let groups = user.groups.iter().map(|group| format!("{group:?}")).collect::<Vec<_>>().join(" ");
    let why = format!(
        "user {:?} (groups=[{groups}]) is attempting to grant RBAC permissions not currently held:\n{}",
        user.name,
        missing.join("\n")
    );
    Err(Status::forbidden(&attributes.call.resource(), object.name(), &why))
}

/// What a role allows; one that gathers the rules of others may come to allow anything.
fn granted(role: &Object) -> Result<Vec<PolicyRule>, Status> {
    if role.at(&["aggregationRule"]).is_some() {
        let all = || Some(vec!["*".to_owned()]);
        let verbs = vec!["*".to_owned()];
        return Ok(vec![
            PolicyRule { api_groups: all(), resources: all(), verbs: verbs.clone(), ..PolicyRule::default() },
            PolicyRule { non_resource_urls: all(), verbs, ..PolicyRule::default() },
        ]);
    }
    Ok(field(role, "rules")?.unwrap_or_default())
}

fn field<T: DeserializeOwned>(object: &Object, name: &str) -> Result<Option<T>, Status> {
    object.at(&[name]).map(T::deserialize).transpose().map_err(|error| Status::bad_request(format!("{name}: {error}")))
}

fn may(attributes: &Attributes<'_>, resource: &str, name: &str, verb: &str) -> bool {
    let target = ResourceTarget {
        gvr: GroupVersionResource::new(GROUP, "v1", resource),
        namespace: attributes.call.namespace().into(),
        name: name.into(),
        ..ResourceTarget::default()
    };
    let question = authz::Attributes::new(attributes.call.user.clone(), verb, Target::Resource(target));
    matches!(attributes.call.pipeline.decide(&question), Decision::Allow(_))
}
