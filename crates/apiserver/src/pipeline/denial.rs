//! The words in which a request is refused (`k8s.io/apiserver/pkg/endpoints/handlers/responsewriters`).

use nakhoda_api::Status;

use crate::authz::Attributes;
use crate::request::{ResourceTarget, Target};

/// 403 for a question that was answered with no.
pub(crate) fn status(attributes: &Attributes, reason: &str) -> Status {
    let sentence = sentence(attributes);
    let why = if reason.is_empty() { sentence } else { format!("{sentence}: {reason}") };
    match &attributes.target {
        Target::Resource(target) => Status::forbidden(&target.gvr.group_resource(), &target.name, &why),
        Target::Path(_) => Status::forbidden(&nakhoda_api::GroupResource::default(), "", &why),
    }
}

fn sentence(attributes: &Attributes) -> String {
    let (user, verb) = (&attributes.user.name, &attributes.verb);
    match &attributes.target {
        Target::Path(path) => format!("User \"{user}\" cannot {verb} path \"{path}\""),
        Target::Resource(target) => {
            let resource = resource(target);
            let group = &target.gvr.group;
            let place = if target.namespace.is_empty() {
                "at the cluster scope".to_owned()
            } else {
                format!("in the namespace \"{}\"", target.namespace)
            };
            format!("User \"{user}\" cannot {verb} resource \"{resource}\" in API group \"{group}\" {place}")
        }
    }
}

fn resource(target: &ResourceTarget) -> String {
    if target.subresource.is_empty() {
        target.gvr.resource.clone()
    } else {
        format!("{}/{}", target.gvr.resource, target.subresource)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::user::User;
    use nakhoda_api::GroupVersionResource;

    fn asked(verb: &str, target: Target) -> Attributes {
        let user = User { name: "bob".into(), ..User::default() };
        Attributes::new(user, verb, target)
    }

    #[test]
    fn a_denial_names_user_verb_and_resource() {
        let target = ResourceTarget {
            gvr: GroupVersionResource::new("", "v1", "pods"),
            namespace: "default".into(),
            name: "a".into(),
            subresource: "log".into(),
            path: String::new(),
        };
        assert_eq!(
            status(&asked("get", Target::Resource(target)), "").message,
            "pods \"a\" is forbidden: User \"bob\" cannot get resource \"pods/log\" in API group \"\" in the namespace \"default\""
        );
        let nodes = ResourceTarget { gvr: GroupVersionResource::new("", "v1", "nodes"), ..ResourceTarget::default() };
        assert_eq!(
            status(&asked("list", Target::Resource(nodes)), "why").message,
            "nodes is forbidden: User \"bob\" cannot list resource \"nodes\" in API group \"\" at the cluster scope: why"
        );
        assert_eq!(
            status(&asked("get", Target::Path("/metrics".into())), "").message,
            "forbidden: User \"bob\" cannot get path \"/metrics\""
        );
    }
}
