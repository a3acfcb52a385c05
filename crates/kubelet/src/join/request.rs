//! Asking for a certificate: a request for a key, and the wait for what becomes of it.

use std::collections::BTreeMap;
use std::net::IpAddr;

use anyhow::{Context, bail};
use futures::StreamExt;
use k8s_openapi::ByteString;
use nakhoda_api::kinds::certificates::{CertificateSigningRequest as Csr, CertificateSigningRequestSpec};
use nakhoda_api::kinds::meta::ObjectMeta;
use nakhoda_client::api::Watch;
use nakhoda_client::{Client, Selection, WatchEvent};
use nakhoda_daemon::pki::write_private;
use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair, SanType};
use sha2::{Digest, Sha256};

use super::pair::Pair;

/// Signs what kubelets are known by.
pub(super) const CLIENT: &str = "kubernetes.io/kube-apiserver-client-kubelet";
/// Signs what kubelets serve with.
pub(super) const SERVING: &str = "kubernetes.io/kubelet-serving";

/// What is asked for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wanted<'a> {
    pub(super) signer: &'static str,
    pub(super) node: &'a str,
    /// Of a server.
    pub(super) addresses: &'a [IpAddr],
}

/// Asks for a certificate for the pair's key and writes it when it is there. Asked again, it takes up the
/// request that is there: its name is made of the key and the node.
pub(super) async fn certificate(client: &Client, pair: &Pair, wanted: &Wanted<'_>) -> anyhow::Result<()> {
    let key = pair.ensure_key()?;
    let csr = request(&key, wanted)?;
    let name = csr.metadata.name.clone().unwrap_or_default();
    match client.all::<Csr>().create(&csr).await {
        Err(error) if error.is_already_exists() => {}
        created => drop(created.with_context(|| format!("cannot ask for a certificate for node {}", wanted.node))?),
    }
    let certificate = issued(client, &name).await;
    if certificate.as_ref().is_err_and(|error| error.is::<Refused>()) {
        // The same key would find the same refusal, also when its reason is gone.
        pair.forget_key()?;
    }
    Ok(write_private(&pair.cert, &certificate?)?)
}

/// The cluster's last word about a request.
#[derive(Debug, thiserror::Error)]
#[error("the cluster gives this machine no certificate: {0}")]
struct Refused(String);

fn request(key: &KeyPair, wanted: &Wanted<'_>) -> anyhow::Result<Csr> {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::OrganizationName, "system:nodes");
    params.distinguished_name.push(DnType::CommonName, format!("system:node:{}", wanted.node));
    let usage = if wanted.signer == SERVING {
        let name = wanted.node.to_owned().try_into().context("the node's name fits no certificate")?;
        params.subject_alt_names.push(SanType::DnsName(name));
        params.subject_alt_names.extend(wanted.addresses.iter().copied().map(SanType::IpAddress));
        "server auth"
    } else {
        "client auth"
    };
    let pem = params.serialize_request(key).and_then(|request| request.pem()).context("no request can be made")?;
    let spec = CertificateSigningRequestSpec {
        signer_name: wanted.signer.into(),
        usages: Some(vec!["digital signature".into(), usage.into()]),
        request: ByteString(pem.into_bytes()),
        ..CertificateSigningRequestSpec::default()
    };
    let digest = Sha256::new().chain_update(wanted.signer).chain_update(wanted.node).chain_update(key.public_key_raw());
    let digest: String = digest.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    let name = format!("node-csr-{digest}");
    Ok(Csr { metadata: ObjectMeta { name: Some(name), ..ObjectMeta::default() }, spec, status: None })
}

/// Waits for the certificate, or for the word that there will be none.
async fn issued(client: &Client, name: &str) -> anyhow::Result<Vec<u8>> {
    loop {
        let selection = Selection::fields(format!("metadata.name={name}"));
        let mut events = client.all::<Csr>().watch(&Watch { selection, initial: true, ..Watch::default() }).await?;
        while let Some(event) = events.next().await {
            match event {
                Ok(WatchEvent::Added(csr) | WatchEvent::Modified(csr)) => {
                    if let Some(certificate) = judged(&csr)? {
                        return Ok(certificate);
                    }
                }
                Ok(WatchEvent::Deleted(_)) => bail!("the request {name} was deleted"),
                Ok(WatchEvent::Bookmark { .. }) => {}
                Err(error) => {
                    tracing::debug!(%error, "the watch of the request ended");
                    break;
                }
            }
        }
    }
}

fn judged(csr: &Csr) -> anyhow::Result<Option<Vec<u8>>> {
    let Some(status) = &csr.status else { return Ok(None) };
    let conditions: BTreeMap<&str, &str> = status
        .conditions
        .iter()
        .flatten()
        .map(|c| (c.type_.as_str(), c.message.as_deref().unwrap_or_default()))
        .collect();
    for refusal in ["Denied", "Failed"] {
        if let Some(why) = conditions.get(refusal) {
            return Err(Refused((*why).to_owned()).into());
        }
    }
    Ok(status.certificate.as_ref().map(|c| c.0.clone()).filter(|c| !c.is_empty()))
}

#[cfg(test)]
mod tests {
    use nakhoda_api::kinds::certificates::{CertificateSigningRequestCondition, CertificateSigningRequestStatus};

    use super::*;

    #[test]
    fn the_same_key_asks_under_the_same_name_and_each_signer_under_its_own() {
        let key = KeyPair::generate().expect("a key");
        let name = |signer, node| {
            let wanted = Wanted { signer, node, addresses: &["10.0.0.1".parse().expect("an address")] };
            request(&key, &wanted).expect("a request").metadata.name
        };
        assert_eq!(name(CLIENT, "n"), name(CLIENT, "n"));
        assert_ne!(name(CLIENT, "n"), name(SERVING, "n"));
        assert_ne!(name(CLIENT, "n"), name(CLIENT, "m"));
    }

    #[test]
    fn a_refusal_is_told_in_the_clusters_words() {
        let condition = CertificateSigningRequestCondition {
            type_: "Denied".into(),
            status: "True".into(),
            message: Some("node n exists already".into()),
            ..CertificateSigningRequestCondition::default()
        };
        let status = CertificateSigningRequestStatus { conditions: Some(vec![condition]), certificate: None };
        let denied = Csr { status: Some(status), ..Csr::default() };
        assert!(judged(&denied).is_err_and(|error| error.to_string().contains("exists already")));
        assert!(judged(&Csr::default()).is_ok_and(|certificate| certificate.is_none()));
    }
}
