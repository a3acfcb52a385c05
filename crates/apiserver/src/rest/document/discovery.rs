//! Discovery documents by path, in the form that the `Accept` header asks for.

use axum::body::Body;
use http::Response;
use http::request::Parts;
use nakhoda_api::Status;
use serde_json::{Value, json};

use super::{json as as_json, tagged};
use crate::aggregation::Aggregation;
use crate::discovery::{Group, aggregated, groups, legacy, remote};
use crate::rest::Front;
use crate::rest::negotiate::Clause;
use crate::rest::reply::Asked;

/// Answers `/api…` and `/apis…`.
pub(super) fn serve(front: &Front, parts: &Parts, segments: &[&str], asked: &Asked) -> Result<Response<Body>, Status> {
    let groups = groups(front.pipeline.kinds());
    let backends = front.pipeline.extension::<Aggregation>().map(Aggregation::all).unwrap_or_default();
    let core = segments[0] == "api";
    let named = |name: &str| groups.iter().find(|g| g.name == name).ok_or_else(Status::no_such_path);
    match (core, &segments[1..]) {
        (_, []) => match aggregated_version(&asked.accept) {
            Some(version) => {
                let shown = groups.iter().filter(|g| g.name.is_empty() == core);
                let mut document = aggregated::document(shown, version);
                if !core {
                    remote::aggregate(&mut document, &backends);
                }
                let document = document.to_string();
                let (group, kind) = (aggregated::GROUP, aggregated::KIND);
                let content_type = format!("application/json;g={group};v={version};as={kind}");
                Ok(tagged(parts, &content_type, document.into()))
            }
            None if core => as_json(&legacy::versions(&front.advertised), "APIVersions", asked),
            None => {
                let mut list = legacy::group_list(&groups);
                remote::list(&mut list, &backends);
                as_json(&list, "APIGroupList", asked)
            }
        },
        (true, [version]) => as_json(&resources(named("")?, version)?, "APIResourceList", asked),
        (false, [group]) if !groups.iter().any(|known| known.name == *group) => {
            let document = remote::group(group, &backends).ok_or_else(Status::no_such_path)?;
            as_json(&document, "APIGroup", asked)
        }
        (false, [group]) => as_json(&legacy::group(named(group)?), "APIGroup", asked),
        (false, [group, version]) => as_json(&resources(named(group)?, version)?, "APIResourceList", asked),
        _ => Err(Status::no_such_path()),
    }
}

/// The paths that `/` lists.
pub(super) fn paths(front: &Front) -> Value {
    let mut paths =
        vec!["/.well-known/openid-configuration".to_owned(), "/api".into(), "/api/v1".into(), "/apis".into()];
    for group in groups(front.pipeline.kinds()).iter().filter(|g| !g.name.is_empty()) {
        paths.push(format!("/apis/{}", group.name));
        paths.extend(group.versions.iter().map(|v| format!("/apis/{}/{}", group.name, v.name)));
    }
    paths.extend(
        ["/healthz", "/livez", "/metrics", "/openapi/v2", "/openapi/v3", "/openid/v1/jwks", "/readyz", "/version"]
            .map(String::from),
    );
    json!({ "paths": paths })
}

fn resources(group: &Group, version: &str) -> Result<Value, Status> {
    let version = group.versions.iter().find(|v| v.name == version).ok_or_else(Status::no_such_path)?;
    Ok(legacy::resources(group, version))
}

/// The version of the aggregated document, if the best clause that can be answered asks for it.
fn aggregated_version(accept: &str) -> Option<&'static str> {
    for clause in Clause::parse_all(accept) {
        if clause.parameter("as") == aggregated::KIND && clause.parameter("g") == aggregated::GROUP {
            let version = aggregated::VERSIONS.into_iter().find(|v| clause.parameter("v") == *v);
            if version.is_some() && clause.essence == "application/json" {
                return version;
            }
        } else if clause.media().is_some() {
            return None;
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_aggregated_form_is_sent_only_to_those_who_ask() {
        let kubectl = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,application/json";
        assert_eq!(aggregated_version(kubectl), Some("v2"));
        let old = "application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,application/json";
        assert_eq!(aggregated_version(old), Some("v2beta1"));
        assert_eq!(aggregated_version("application/json"), None);
        assert_eq!(aggregated_version("*/*"), None);
        let unsure = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList;q=0.5,application/json";
        assert_eq!(aggregated_version(unsure), None);
        let novel = "application/json;g=apidiscovery.k8s.io;v=v3;as=APIGroupDiscoveryList,application/json";
        assert_eq!(aggregated_version(novel), None);
    }
}
