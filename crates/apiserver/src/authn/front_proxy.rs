//! Callers that a proxy in front names in headers (`X-Remote-User` and its kin). The proxy must show a certificate of
//! its own CA with an allowed name; from anybody else the headers are worth nothing.

use std::path::Path;

use futures::future::{BoxFuture, FutureExt, ready};
use nakhoda_api::Status;
use nakhoda_daemon::tls::TlsError;
use x509_parser::prelude::{FromDer, X509Certificate};

use super::Authenticator;
use super::authority::Authority;
use crate::request::Caller;
use crate::user::User;

/// The authenticator.
pub struct FrontProxy {
    authority: Authority,
    /// The common names that may name callers; any if empty.
    names: Vec<String>,
}

// === impl FrontProxy ===

impl FrontProxy {
    /// Proxies with certificates of a CA and one of these names.
    pub fn open(ca: &Path, names: Vec<String>) -> Result<Self, TlsError> {
        Ok(Self { authority: Authority::read(ca)?, names })
    }

    fn trusts(&self, caller: &Caller) -> bool {
        let name = caller.certificates.first().and_then(|leaf| common_name(leaf));
        let named = self.names.is_empty() || name.is_some_and(|name| self.names.contains(&name));
        named && self.authority.issued(&caller.certificates)
    }
}

impl Authenticator for FrontProxy {
    fn authenticate<'a>(&'a self, caller: &'a Caller) -> BoxFuture<'a, Result<Option<User>, Status>> {
        let user = caller.remote.clone().filter(|user| !user.name.is_empty() && self.trusts(caller));
        ready(Ok(user)).boxed()
    }
}

fn common_name(leaf: &[u8]) -> Option<String> {
    let (_, certificate) = X509Certificate::from_der(leaf).ok()?;
    certificate.subject().iter_common_name().next()?.as_str().ok().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use nakhoda_daemon::pki::{Authority as Issuer, Profile};
    use rustls_pki_types::CertificateDer;
    use rustls_pki_types::pem::PemObject;

    use super::*;
    use crate::authn::certificate::Certificates;

    fn shown(issuer: &Issuer, name: &str) -> Caller {
        let (cert, _) = issuer.issue(&Profile::client(name, &[]), Duration::from_secs(3600)).expect("issued");
        let leaf = CertificateDer::from_pem_slice(cert.as_bytes()).expect("a certificate");
        let remote = User { name: "jane".into(), groups: vec!["a".into()], ..User::default() };
        Caller { certificates: [leaf].into(), remote: Some(remote), ..Caller::default() }
    }

    #[tokio::test]
    async fn only_a_proxy_of_its_own_ca_and_name_says_who_calls() {
        nakhoda_daemon::install_crypto();
        let folder = std::env::temp_dir().join(format!("nakhoda-front-{}", uuid::Uuid::new_v4()));
        std::fs::create_dir_all(&folder).expect("a folder");
        let path = |name: &str| folder.join(name);
        let front = Issuer::create("front", &path("front.crt"), &path("front.key")).expect("an authority");
        let clients = Issuer::create("clients", &path("ca.crt"), &path("ca.key")).expect("an authority");
        let proxy = FrontProxy::open(&path("front.crt"), vec!["front-proxy-client".into()]).expect("a CA");
        let users = Certificates::of(Authority::read(&path("ca.crt")).expect("a CA"));
        std::fs::remove_dir_all(&folder).expect("removed");
        let through = shown(&front, "front-proxy-client");
        let user = proxy.authenticate(&through).await.expect("no failure").expect("named");
        assert_eq!((user.name.as_str(), user.groups.as_slice()), ("jane", &["a".to_owned()][..]));
        assert_eq!(users.authenticate(&through).await.expect("no failure"), None, "a proxy is no user");
        for other in [shown(&front, "somebody"), shown(&clients, "front-proxy-client"), shown(&clients, "bob")] {
            assert_eq!(proxy.authenticate(&other).await.expect("no failure"), None);
        }
        let bob = users.authenticate(&shown(&clients, "bob")).await.expect("no failure").expect("a user");
        assert_eq!(bob.name, "bob", "his headers are worth nothing");
        let nobody = Caller { certificates: [].into(), ..through };
        assert_eq!(proxy.authenticate(&nobody).await.expect("no failure"), None);
    }
}
