//! A node asks for serving certificates: for its own name and address it gets one, for another's a refusal.

use anyhow::{Context, Result, ensure};
use nakhoda_tests::command::{Client, eventually};
use nakhoda_tests::machine::Machine;
use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair, SanType};

/// Request, common name, DNS name, address, and why it is denied.
const CASES: &[(&str, &str, &str, &str, &str)] = &[
    ("other-name", "system:node:node-4", "node-1", "172.30.93.14", "node-1 is not a name of node node-4"),
    (
        "other-address",
        "system:node:node-4",
        "node-4",
        "172.30.93.11",
        "an address in the request belongs to node node-1",
    ),
];

/// Asks as the machine's node.
pub(crate) fn only_its_own(machine: &Machine) -> Result<()> {
    let ctl = Client::ctl();
    let node = ctl.clone().identity(machine.folder().join("pki/kubelet.conf"));
    let foreign = manifest("other-user", "system:node:node-1", "node-1", "172.30.93.11")?;
    let refused = node.with_input(&["create", "-f", "-"], &foreign).err().context("another node's request is taken")?;
    let told = format!("{refused:#}");
    ensure!(told.contains("can only create a node CSR with CN=system:node:node-4"), "{told}");
    for (name, user, dns, address, _) in CASES {
        let manifest = manifest(name, user, dns, address)?;
        node.with_input(&["create", "-f", "-"], &manifest)?;
    }
    for (name, _, _, _, wanted) in CASES {
        let path = "jsonpath={.status.conditions[*].type} {.status.conditions[*].message}{.status.certificate}";
        eventually(name, || {
            let told = ctl.run(&["get", "csr", &format!("join-{name}"), "-o", path])?;
            ensure!(told.contains("Denied") && told.contains(wanted), "{told}");
            Ok(())
        })?;
        ctl.run(&["delete", "csr", &format!("join-{name}")])?;
    }
    Ok(())
}

fn manifest(name: &str, user: &str, dns: &str, address: &str) -> Result<String> {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::OrganizationName, "system:nodes");
    params.distinguished_name.push(DnType::CommonName, user);
    params.subject_alt_names = vec![SanType::DnsName(dns.try_into()?), SanType::IpAddress(address.parse()?)];
    let pem = params.serialize_request(&KeyPair::generate()?)?.pem().context("a request")?;
    let spec = serde_json::json!({
        "signerName": "kubernetes.io/kubelet-serving",
        "usages": ["digital signature", "server auth"],
        "request": base64::Engine::encode(&base64::engine::general_purpose::STANDARD, pem),
    });
    let csr = serde_json::json!({
        "apiVersion": "certificates.k8s.io/v1",
        "kind": "CertificateSigningRequest",
        "metadata": {"name": format!("join-{name}")},
        "spec": spec,
    });
    Ok(csr.to_string())
}
