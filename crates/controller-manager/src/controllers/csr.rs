//! Certificate signing requests: those of nodes are approved by rule, approved ones are signed, old ones
//! are cleared away.
//!
//! Client requests are approved after asking the API server who may have them; serving requests only
//! from a node, for itself, with names and addresses that are its own. Absent: the signer
//! kubernetes.io/legacy-unknown.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::ByteString;
use nakhoda_api::kinds::authorization::{ResourceAttributes, SubjectAccessReview, SubjectAccessReviewSpec};
use nakhoda_api::kinds::certificates::{
    CertificateSigningRequest as Csr, CertificateSigningRequestCondition as Condition,
};
use nakhoda_api::kinds::core::Node;
use nakhoda_api::kinds::meta::Time;
use nakhoda_client::{Informer, Key, Outcome, Reconcile, Resource, Result};

use crate::context::{Context, Watches};
use crate::pod_control::exactly;

pub mod approve;
pub mod clean;
pub mod request;
pub mod sign;

use approve::{Facts, Verdict};
use request::{NODE_PREFIX, Request};

const NAME: &str = "csr";
/// When to look again at a request that waits for its node.
const AGAIN: Duration = Duration::from_secs(10);

/// Starts the controller.
pub fn start(cx: &Context) {
    let (requests, nodes) = (cx.informers.of::<Csr>(), cx.informers.of::<Node>());
    let mut watches = Watches::new(cx, NAME);
    watches.on(&requests, |r: &Csr| vec![Key::of(r)]);
    let all = requests.clone();
    watches.on(&nodes, move |node: &Node| pending_of(&all, node));
    watches.run(2, Requests { cx: cx.clone(), requests, nodes });
}

struct Requests {
    cx: Context,
    requests: Informer<Csr>,
    nodes: Informer<Node>,
}

// === impl Requests ===

impl Reconcile for Requests {
    fn name(&self) -> &'static str {
        NAME
    }

    async fn reconcile(&self, key: &Key) -> Result<Outcome> {
        let Some(csr) = self.requests.get(key) else { return Ok(Outcome::Done) };
        let now = crate::clock::now();
        let left = clean::left(&csr, now);
        if !left.is_positive() {
            return match self.cx.client.all::<Csr>().delete(&key.name, &exactly(&*csr)).await {
                Err(error) if !error.is_not_found() => Err(error),
                _ => Ok(Outcome::Done),
            };
        }
        let left = Duration::try_from(left).unwrap_or_default();
        if is_decided(&csr) {
            self.sign(&csr, now).await?;
            return Ok(Outcome::After(left));
        }
        let waits = self.decide(&csr, now).await?;
        Ok(Outcome::After(if waits { left.min(AGAIN) } else { left }))
    }
}

impl Requests {
    /// Whether the request waits for something that may still come.
    async fn decide(&self, csr: &Arc<Csr>, now: Timestamp) -> Result<bool> {
        let Ok(request) = Request::parse(&csr.spec.request.0) else { return Ok(false) };
        let verdict = approve::judge(csr, &request, &self.facts(&request));
        let (type_, message) = match verdict {
            Verdict::Approve => ("Approved", "Auto approving kubelet serving certificate.".to_owned()),
            Verdict::Ask(subresource) => match self.may(csr, subresource).await? {
                true => ("Approved", approve::message(subresource).to_owned()),
                false => return Ok(false),
            },
            Verdict::Deny(why) => ("Denied", why),
            Verdict::Wait => return Ok(true),
            Verdict::Leave => return Ok(false),
        };
        let reason = if type_ == "Approved" { "AutoApproved" } else { "AutoDenied" };
        let told = with_condition(csr, condition(type_, reason, &message, now));
        let _: Csr = self.cx.client.all::<Csr>().update_sub(csr.name(), "approval", &told).await?;
        Ok(false)
    }

    fn facts(&self, request: &Request) -> Facts {
        let node = request.common_name.strip_prefix(NODE_PREFIX).unwrap_or_default();
        let keys = self.requests.list().into_iter().filter(|r| is_issued(r));
        let keys = keys.filter_map(|r| Request::parse(&r.spec.request.0).ok());
        Facts {
            node: self.nodes.get(&Key::new("", node)),
            others: self.nodes.list().into_iter().filter(|n| n.name() != node).collect(),
            known_key: keys.filter(|r| r.common_name == request.common_name).any(|r| r.key == request.key),
        }
    }

    async fn may(&self, csr: &Csr, subresource: &str) -> Result<bool> {
        let attributes = ResourceAttributes {
            group: Some("certificates.k8s.io".into()),
            resource: Some("certificatesigningrequests".into()),
            subresource: Some(subresource.into()),
            verb: Some("create".into()),
            version: Some("*".into()),
            ..ResourceAttributes::default()
        };
        let spec = SubjectAccessReviewSpec {
            user: csr.spec.username.clone(),
            uid: csr.spec.uid.clone(),
            groups: csr.spec.groups.clone(),
            extra: csr.spec.extra.clone(),
            resource_attributes: Some(attributes),
            ..SubjectAccessReviewSpec::default()
        };
        let review = SubjectAccessReview { spec, ..SubjectAccessReview::default() };
        let answer = self.cx.client.all::<SubjectAccessReview>().create(&review).await?;
        Ok(answer.status.is_some_and(|s| s.allowed))
    }

    async fn sign(&self, csr: &Arc<Csr>, now: Timestamp) -> Result<()> {
        let Some(authority) = &self.cx.material.authority else { return Ok(()) };
        if !has(csr, "Approved") || has(csr, "Failed") || is_issued(csr) {
            return Ok(());
        }
        let Some(signer) = sign::signer(&csr.spec.signer_name) else { return Ok(()) };
        let told = match sign::issue(authority, signer, csr, self.cx.options.cluster_signing_duration.unsigned_abs()) {
            Ok(certificate) => {
                let mut told = (**csr).clone();
                told.status.get_or_insert_default().certificate = Some(ByteString(certificate.into_bytes()));
                told
            }
            Err(why) => with_condition(csr, condition("Failed", "SignerValidationFailure", &why, now)),
        };
        self.cx.client.all::<Csr>().update_status(&told).await.map(drop)
    }
}

/// Whether a condition of a type is set.
#[must_use]
pub fn has(csr: &Csr, type_: &str) -> bool {
    since(csr, type_).is_some()
}

/// The condition of a type.
#[must_use]
pub fn since<'a>(csr: &'a Csr, type_: &str) -> Option<&'a Condition> {
    csr.status.as_ref()?.conditions.iter().flatten().find(|c| c.type_ == type_)
}

/// Whether the certificate is there.
#[must_use]
pub fn is_issued(csr: &Csr) -> bool {
    csr.status.as_ref().and_then(|s| s.certificate.as_ref()).is_some_and(|c| !c.0.is_empty())
}

fn is_decided(csr: &Csr) -> bool {
    has(csr, "Approved") || has(csr, "Denied")
}

fn condition(type_: &str, reason: &str, message: &str, now: Timestamp) -> Condition {
    Condition {
        type_: type_.into(),
        status: "True".into(),
        reason: Some(reason.into()),
        message: Some(message.into()),
        last_update_time: Some(Time(now)),
        last_transition_time: Some(Time(now)),
    }
}

fn with_condition(csr: &Csr, condition: Condition) -> Csr {
    let mut told = csr.clone();
    told.status.get_or_insert_default().conditions.get_or_insert_default().push(condition);
    told
}

/// The requests that may wait for the addresses of a node.
fn pending_of(requests: &Informer<Csr>, node: &Node) -> Vec<Key> {
    let user = format!("{NODE_PREFIX}{}", node.name());
    let waits = |r: &Arc<Csr>| !is_decided(r) && r.spec.username.as_ref() == Some(&user);
    requests.list().into_iter().filter(waits).map(|r| Key::of(&*r)).collect()
}
