//! What the head of a request tells.

use std::net::SocketAddr;

use nakhoda_api::Status;

use crate::audit::event::{Event, ObjectRef, Outcome};
use crate::audit::{Auditor, Stage};
use crate::request::{Request, ResourceTarget, Target};
use crate::user::User;

/// Longer user agents are cut.
const AGENT_MAX: usize = 1024;
/// Whose bodies are credentials: told as metadata at most.
const CREDENTIALS: [(&str, &str, &str); 3] =
    [("", "secrets", ""), ("", "serviceaccounts", "token"), ("authentication.k8s.io", "tokenreviews", "")];

/// A caller that nobody knows: told as the policy says of such a request by nobody.
pub(crate) fn unknown(auditor: &Auditor, request: &Request, status: &Status) {
    let told = auditor.policy().told(&User::default(), request.verb(), &request.target);
    let mut event = Event::new(told.level, super::now());
    request.verb().clone_into(&mut event.verb);
    if let Target::Resource(target) = &request.target {
        event.object_ref = Some(ObjectRef::from(target));
    }
    identify(&mut event, request);
    let tried =
        [(!request.caller.certificates.is_empty()).then_some("x509"), request.caller.bearer.as_ref().map(|_| "bearer")];
    let tried = tried.into_iter().flatten().collect::<Vec<_>>().join(", ");
    let message = if tried.is_empty() {
        "Authentication failed, no credentials provided".to_owned()
    } else {
        format!("Authentication failed, attempted: {tried}")
    };
    event.response_status = Some(Outcome::of(&Status { message, ..status.clone() }));
    super::Record { auditor: auditor.clone(), event, told, complete: true }.tell(Stage::ResponseStarted);
}

/// What stands in every event of a request.
pub(super) fn identify(event: &mut Event, request: &Request) {
    let (caller, origin) = (&request.caller, &request.caller.origin);
    let new = || uuid::Uuid::new_v4().to_string();
    event.audit_id = if origin.id.is_empty() { new() } else { origin.id.clone() };
    event.request_uri = if origin.uri.is_empty() { uri(&request.target) } else { origin.uri.clone() };
    event.user_agent = match caller.agent.char_indices().nth(AGENT_MAX) {
        Some((end, _)) => format!("{}...TRUNCATED", &caller.agent[..end]),
        None => caller.agent.clone(),
    };
    event.source_ips.clone_from(&origin.forwarded);
    let peer = caller.address.as_ref().map(SocketAddr::ip).map(|ip| ip.to_canonical().to_string());
    event.source_ips.extend(peer.filter(|peer| origin.forwarded.last() != Some(peer)));
}

pub(super) fn is_credential(target: &ResourceTarget) -> bool {
    let asked = (target.gvr.group.as_str(), target.gvr.resource.as_str(), target.subresource.as_str());
    CREDENTIALS.contains(&asked)
}

/// The path at which REST has a target.
fn uri(target: &Target) -> String {
    let target = match target {
        Target::Path(path) => return path.clone(),
        Target::Resource(target) => target,
    };
    let gvr = &target.gvr;
    let mut uri = if gvr.group.is_empty() { "/api".to_owned() } else { format!("/apis/{}", gvr.group) };
    let namespaced = !target.namespace.is_empty() && gvr.resource != "namespaces";
    let namespace = if namespaced { format!("namespaces/{}", target.namespace) } else { String::new() };
    for part in [&gvr.version, &namespace, &gvr.resource, &target.name, &target.subresource] {
        if !part.is_empty() {
            uri.push('/');
            uri.push_str(part);
        }
    }
    uri + &target.path
}
