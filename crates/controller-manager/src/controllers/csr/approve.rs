//! Which requests are approved without a person.

use std::net::IpAddr;
use std::sync::Arc;

use nakhoda_api::kinds::certificates::CertificateSigningRequest as Csr;
use nakhoda_api::kinds::core::Node;

use super::request::{NODE_PREFIX, Request};
use crate::nodes::addresses;

/// The signer of the certificates by which kubelets are known.
pub const CLIENT_KUBELET: &str = "kubernetes.io/kube-apiserver-client-kubelet";
/// The signer of the certificates by which kubelets serve.
pub const SERVING: &str = "kubernetes.io/kubelet-serving";

/// A node asks for itself.
const SELF: &str = "selfnodeclient";
/// Somebody asks for a node.
const NODE: &str = "nodeclient";

/// What the cluster knows.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// The node that the request is about.
    pub node: Option<Arc<Node>>,
    /// All other nodes.
    pub others: Vec<Arc<Node>>,
    /// Whether a certificate was issued to that node for the same key.
    pub known_key: bool,
}

/// What becomes of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is approved.
    Approve,
    /// It is approved if the one who asks may create this subresource.
    Ask(&'static str),
    /// It is denied, and this is why.
    Deny(String),
    /// It waits for its node to tell its addresses.
    Wait,
    /// It is for a person to decide.
    Leave,
}

/// What an approval after a question says.
#[must_use]
pub fn message(subresource: &str) -> &'static str {
    if subresource == SELF {
        "Auto approving self kubelet client certificate after SubjectAccessReview."
    } else {
        "Auto approving kubelet client certificate after SubjectAccessReview."
    }
}

/// What becomes of a request that nobody has decided.
#[must_use]
pub fn judge(csr: &Csr, request: &Request, facts: &Facts) -> Verdict {
    let nodes_alone = request.organizations.len() == 1 && request.organizations[0] == "system:nodes";
    let Some(node) = request.common_name.strip_prefix(NODE_PREFIX).filter(|_| nodes_alone && !request.others) else {
        return Verdict::Leave;
    };
    let itself = csr.spec.username.as_deref() == Some(request.common_name.as_str());
    match csr.spec.signer_name.as_str() {
        CLIENT_KUBELET if has_usages(csr, "client auth") => client(node, request, facts, itself),
        SERVING if has_usages(csr, "server auth") && itself => serving(node, request, facts),
        _ => Verdict::Leave,
    }
}

/// The usages must be these: signing, perhaps encipherment, and the one that is named.
#[must_use]
pub fn has_usages(csr: &Csr, wanted: &str) -> bool {
    let usages: Vec<&str> = csr.spec.usages.iter().flatten().map(String::as_str).collect();
    let known = |u: &&str| [wanted, "digital signature", "key encipherment"].contains(u);
    usages.iter().all(known) && usages.contains(&wanted) && usages.contains(&"digital signature")
}

fn client(node: &str, request: &Request, facts: &Facts, itself: bool) -> Verdict {
    if !request.dns.is_empty() || !request.ips.is_empty() {
        return Verdict::Leave;
    }
    if itself {
        return Verdict::Ask(SELF);
    }
    if facts.node.is_some() && !facts.known_key {
        return Verdict::Deny(format!(
            "node {node} exists already; give this machine another name, or free the name with: ctl node remove {node}"
        ));
    }
    Verdict::Ask(NODE)
}

/// Every name must be the node's, and every address its own and nobody else's.
fn serving(node: &str, request: &Request, facts: &Facts) -> Verdict {
    if request.dns.is_empty() && request.ips.is_empty() {
        return Verdict::Leave;
    }
    let Some(known) = &facts.node else { return Verdict::Wait };
    let named = |name: &String| name == node || addresses(known, "Hostname").any(|h| h == name);
    if let Some(foreign) = request.dns.iter().find(|n| !named(n)) {
        return Verdict::Deny(format!("{foreign} is not a name of node {node}"));
    }
    let ips = |node: &Node| -> Vec<IpAddr> {
        let all = addresses(node, "InternalIP").chain(addresses(node, "ExternalIP"));
        all.filter_map(|a| a.parse().ok()).collect()
    };
    if let Some(other) = facts.others.iter().find(|o| ips(o).iter().any(|ip| request.ips.contains(ip))) {
        let name = other.metadata.name.as_deref().unwrap_or_default();
        return Verdict::Deny(format!("an address in the request belongs to node {name}"));
    }
    let own = ips(known);
    if request.ips.iter().all(|ip| own.contains(ip)) { Verdict::Approve } else { Verdict::Wait }
}

#[cfg(test)]
mod tests {
    use super::*;
    use nakhoda_api::kinds::core::{NodeAddress, NodeStatus};

    fn csr(signer: &str, user: &str, usage: &str) -> Csr {
        let mut csr = Csr::default();
        csr.spec.signer_name = signer.into();
        csr.spec.username = Some(user.into());
        csr.spec.usages = Some(vec!["digital signature".into(), usage.into()]);
        csr
    }

    fn request(dns: &[&str], ips: &[&str]) -> Request {
        Request {
            common_name: "system:node:a".into(),
            organizations: vec!["system:nodes".into()],
            dns: dns.iter().map(|&n| n.into()).collect(),
            ips: ips.iter().map(|ip| ip.parse().expect("an address")).collect(),
            ..Request::default()
        }
    }

    fn node(name: &str, ip: &str) -> Arc<Node> {
        let mut node = Node::default();
        node.metadata.name = Some(name.into());
        let address = NodeAddress { type_: "InternalIP".into(), address: ip.into() };
        node.status = Some(NodeStatus { addresses: Some(vec![address]), ..NodeStatus::default() });
        Arc::new(node)
    }

    #[test]
    fn a_client_certificate_is_asked_for_by_the_node_or_a_newcomer() {
        let none = Facts::default();
        let plain = request(&[], &[]);
        let by = |user| csr(CLIENT_KUBELET, user, "client auth");
        assert_eq!(judge(&by("system:node:a"), &plain, &none), Verdict::Ask(SELF));
        assert_eq!(judge(&by("system:bootstrap:x"), &plain, &none), Verdict::Ask(NODE));
        assert_eq!(judge(&csr(CLIENT_KUBELET, "u", "server auth"), &plain, &none), Verdict::Leave);
        assert_eq!(judge(&by("u"), &request(&["a"], &[]), &none), Verdict::Leave);
        let admin = Request { organizations: vec!["system:masters".into()], ..plain };
        assert_eq!(judge(&by("u"), &admin, &none), Verdict::Leave);
    }

    #[test]
    fn a_newcomer_cannot_take_a_name_that_is_in_use() {
        let taken = Facts { node: Some(node("a", "10.0.0.1")), ..Facts::default() };
        let by = csr(CLIENT_KUBELET, "system:bootstrap:x", "client auth");
        assert!(matches!(judge(&by, &request(&[], &[]), &taken), Verdict::Deny(why) if why.contains("ctl node remove a")));
        let known = Facts { known_key: true, ..taken };
        assert_eq!(judge(&by, &request(&[], &[]), &known), Verdict::Ask(NODE));
    }

    #[test]
    fn a_serving_certificate_names_the_node_and_nothing_else() {
        let facts =
            Facts { node: Some(node("a", "10.0.0.1")), others: vec![node("b", "10.0.0.2")], known_key: false };
        let by = csr(SERVING, "system:node:a", "server auth");
        assert_eq!(judge(&by, &request(&["a"], &["10.0.0.1"]), &facts), Verdict::Approve);
        assert!(matches!(judge(&by, &request(&["kubernetes"], &[]), &facts), Verdict::Deny(_)));
        assert!(matches!(judge(&by, &request(&["a"], &["10.0.0.2"]), &facts), Verdict::Deny(_)));
        assert_eq!(judge(&by, &request(&["a"], &["10.0.0.9"]), &facts), Verdict::Wait);
        assert_eq!(judge(&by, &request(&["a"], &[]), &Facts::default()), Verdict::Wait);
        let other = csr(SERVING, "system:node:b", "server auth");
        assert_eq!(judge(&other, &request(&["a"], &[]), &facts), Verdict::Leave);
    }
}
