//! Signing what was approved, within the limits of each signer.

use std::time::Duration;

use nakhoda_api::kinds::certificates::CertificateSigningRequest as Csr;
use nakhoda_daemon::pki::Authority;

use super::approve::{CLIENT_KUBELET, SERVING, has_usages};
use super::request::{NODE_PREFIX, Request};

/// The shortest life that can be asked for.
const SHORTEST: Duration = Duration::from_secs(600);

/// A signer and what it signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signer {
    /// Any client of the API server.
    Client,
    /// A kubelet as a client of the API server.
    ClientKubelet,
    /// A kubelet as a server.
    Serving,
}

/// The signer of a name; nothing if another program signs for it.
#[must_use]
pub fn signer(name: &str) -> Option<Signer> {
    match name {
        "kubernetes.io/kube-apiserver-client" => Some(Signer::Client),
        CLIENT_KUBELET => Some(Signer::ClientKubelet),
        SERVING => Some(Signer::Serving),
        _ => None,
    }
}

/// The certificate in PEM, or why there is none. It lives as long as it was asked to, at most `longest`.
pub fn issue(authority: &Authority, signer: Signer, csr: &Csr, longest: Duration) -> Result<String, String> {
    let request = Request::parse(&csr.spec.request.0).map_err(|e| e.to_string())?;
    check(signer, csr, &request)?;
    let text = String::from_utf8(csr.spec.request.0.clone()).map_err(|e| e.to_string())?;
    let serves = signer == Signer::Serving;
    authority.sign(&text, serves, !serves, life(csr.spec.expiration_seconds, longest)).map_err(|e| e.to_string())
}

fn check(signer: Signer, csr: &Csr, request: &Request) -> Result<(), String> {
    if signer == Signer::Client {
        return check_client(csr);
    }
    if request.organizations != ["system:nodes"] {
        return Err("subject organization is not system:nodes".into());
    }
    let names = !request.dns.is_empty() || !request.ips.is_empty();
    match signer {
        Signer::Serving if !names => return Err("DNS or IP subjectAltName is required".into()),
        Signer::ClientKubelet if !request.dns.is_empty() => {
            return Err("DNS subjectAltNames are not allowed".into());
        }
        Signer::ClientKubelet if names => return Err("IP subjectAltNames are not allowed".into()),
        _ if request.others => return Err("Email and URI subjectAltNames are not allowed".into()),
        _ => {}
    }
    if !request.common_name.starts_with(NODE_PREFIX) {
        return Err("subject common name does not begin with system:node:".into());
    }
    let usage = if signer == Signer::Serving { "server auth" } else { "client auth" };
    if has_usages(csr, usage) {
        Ok(())
    } else {
        Err(format!("usages did not match [digital signature key encipherment {usage}]"))
    }
}

fn check_client(csr: &Csr) -> Result<(), String> {
    let mut usages = csr.spec.usages.iter().flatten();
    let known = ["digital signature", "key encipherment", "client auth"];
    if let Some(usage) = usages.clone().find(|u| !known.contains(&u.as_str())) {
        return Err(format!("invalid usage for client certificate: {usage}"));
    }
    if usages.any(|u| u == "client auth") {
        Ok(())
    } else {
        Err("missing required usage for client certificate: client auth".into())
    }
}

fn life(asked: Option<i32>, longest: Duration) -> Duration {
    let asked = asked.and_then(|s| u64::try_from(s).ok()).map(Duration::from_secs);
    asked.map_or(longest, |life| life.max(SHORTEST).min(longest))
}

#[cfg(test)]
mod tests {
    use super::super::request::tests::pem;
    use super::*;
    use k8s_openapi::ByteString;

    const YEAR: Duration = Duration::from_secs(365 * 24 * 3600);

    fn csr(pem: Vec<u8>, usage: &str) -> Csr {
        let mut csr = Csr::default();
        csr.spec.request = ByteString(pem);
        csr.spec.usages = Some(vec!["digital signature".into(), usage.into()]);
        csr
    }

    #[test]
    fn an_approved_request_is_signed_and_a_wrong_one_says_why_not() {
        let folder = std::env::temp_dir().join(format!("nakhoda-csr-{}", std::process::id()));
        let authority = Authority::create("test", &folder.join("ca.crt"), &folder.join("ca.key")).expect("made");
        let serving = csr(pem("system:node:a", "system:nodes", &["a"], &[]), "server auth");
        let certificate = issue(&authority, Signer::Serving, &serving, YEAR).expect("signed");
        assert!(certificate.starts_with("-----BEGIN CERTIFICATE-----"));
        let wrong = issue(&authority, Signer::ClientKubelet, &serving, YEAR);
        assert_eq!(wrong, Err("DNS subjectAltNames are not allowed".into()));
        let client = csr(pem("jane", "dev", &[], &[]), "client auth");
        assert!(issue(&authority, Signer::Client, &client, YEAR).is_ok());
        let usage = issue(&authority, Signer::Client, &csr(pem("jane", "dev", &[], &[]), "server auth"), YEAR);
        assert_eq!(usage, Err("invalid usage for client certificate: server auth".into()));
        std::fs::remove_dir_all(folder).expect("removed");
    }

    #[test]
    fn a_life_is_what_was_asked_for_within_limits() {
        assert_eq!((life(None, YEAR), life(Some(60), YEAR)), (YEAR, SHORTEST));
        assert_eq!(life(Some(3600), YEAR), Duration::from_secs(3600));
        assert_eq!(life(Some(3600), Duration::from_secs(20)), Duration::from_secs(20));
    }
}
