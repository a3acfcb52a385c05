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
