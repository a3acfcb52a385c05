//! What a PKCS#10 request asks for.

use std::net::IpAddr;

use x509_parser::certification_request::X509CertificationRequest;
use x509_parser::extensions::{GeneralName, ParsedExtension};
use x509_parser::pem::Pem;
use x509_parser::prelude::FromDer;

/// The user names of nodes begin so.
pub const NODE_PREFIX: &str = "system:node:";

/// A request, as far as rules look at it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Request {
    /// The user or the server.
    pub common_name: String,
    /// The user's groups.
    pub organizations: Vec<String>,
    /// Names of a server.
    pub dns: Vec<String>,
    /// Addresses of a server.
    pub ips: Vec<IpAddr>,
    /// Whether it asks for names of yet another kind.
    pub others: bool,
    /// The public key.
    pub key: Vec<u8>,
}

/// Not a request that can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a PKCS#10 request in PEM with a valid signature")]
pub struct NotARequest;

// === impl Request ===

impl Request {
    /// Reads a request in PEM and checks that it is signed by its own key.
    pub fn parse(pem: &[u8]) -> Result<Self, NotARequest> {
        let block = Pem::iter_from_buffer(pem).next().and_then(Result::ok).ok_or(NotARequest)?;
        let (_, csr) = X509CertificationRequest::from_der(&block.contents).map_err(|_| NotARequest)?;
        csr.verify_signature().map_err(|_| NotARequest)?;
        let info = &csr.certification_request_info;
        let texts = |all: Vec<Option<&str>>| all.into_iter().flatten().map(str::to_owned).collect::<Vec<_>>();
        let names = info.subject.iter_common_name().map(|a| a.as_str().ok()).collect();
        let mut request = Self {
            common_name: texts(names).into_iter().next().unwrap_or_default(),
            organizations: texts(info.subject.iter_organization().map(|a| a.as_str().ok()).collect()),
            key: info.subject_pki.raw.to_vec(),
            ..Self::default()
        };
        for extension in csr.requested_extensions().into_iter().flatten() {
            if let ParsedExtension::SubjectAlternativeName(names) = extension {
                names.general_names.iter().for_each(|name| request.add(name));
            }
        }
        Ok(request)
    }

    fn add(&mut self, name: &GeneralName<'_>) {
        match name {
            GeneralName::DNSName(name) => self.dns.push((*name).to_owned()),
            GeneralName::IPAddress(bytes) => match address(bytes) {
                Some(ip) => self.ips.push(ip),
                None => self.others = true,
            },
            _ => self.others = true,
        }
    }
}

fn address(bytes: &[u8]) -> Option<IpAddr> {
    if let Ok(four) = <[u8; 4]>::try_from(bytes) {
        return Some(four.into());
    }
    <[u8; 16]>::try_from(bytes).ok().map(IpAddr::from)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use rcgen::{CertificateParams, DnType, KeyPair, SanType};

    /// A request in PEM.
    pub(crate) fn pem(common_name: &str, organization: &str, dns: &[&str], ips: &[&str]) -> Vec<u8> {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, common_name);
        params.distinguished_name.push(DnType::OrganizationName, organization);
        for name in dns {
            params.subject_alt_names.push(SanType::DnsName((*name).try_into().expect("a name")));
        }
        let addresses = ips.iter().map(|ip| SanType::IpAddress(ip.parse().expect("an address")));
        params.subject_alt_names.extend(addresses);
        let key = KeyPair::generate().expect("a key");
        params.serialize_request(&key).expect("signed").pem().expect("PEM").into_bytes()
    }

    #[test]
    fn a_request_is_read_with_its_names() {
        let request = Request::parse(&pem("system:node:a", "system:nodes", &["a"], &["10.0.0.1"])).expect("valid");
        assert_eq!((request.common_name.as_str(), request.organizations.as_slice()), (
            "system:node:a",
            &["system:nodes".to_owned()][..]
        ));
        assert_eq!(request.dns, ["a"]);
        assert_eq!(request.ips, ["10.0.0.1".parse::<IpAddr>().expect("an address")]);
        assert_eq!(Request::parse(b"nothing"), Err(NotARequest));
    }
}
