//! A certificate authority.

use std::path::Path;
use std::time::{Duration, SystemTime};

use rcgen::{
    BasicConstraints, CertificateParams, CertificateSigningRequestParams, DistinguishedName, DnType,
    ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose, SanType,
};

use super::{AUTHORITY_LIFE, PkiError, Profile, read, write_private};

/// Certificates are valid a little before they are made: clocks differ.
pub(super) const EARLIER: Duration = Duration::from_secs(300);
/// A life that is shorter begins when the certificate is made: it would be over half before it began.
pub(super) const SHORT: Duration = Duration::from_secs(8 * 3600);

/// Signs certificates.
pub struct Authority {
    certificate: String,
    issuer: Issuer<'static, KeyPair>,
}

// === impl Authority ===

impl Authority {
    /// A new one; its certificate and key are written to `cert` and `key`.
    pub fn create(common_name: &str, cert: &Path, key: &Path) -> Result<Self, PkiError> {
        let wrong = |source| PkiError::Certificate { what: format!("authority {common_name}"), source };
        let pair = KeyPair::generate().map_err(wrong)?;
        let mut params = params(common_name, &[], AUTHORITY_LIFE);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages =
            vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign, KeyUsagePurpose::DigitalSignature];
        params.subject_alt_names = Vec::new();
        let certificate = params.self_signed(&pair).map_err(wrong)?.pem();
        write_private(key, pair.serialize_pem().as_bytes())?;
        write_private(cert, certificate.as_bytes())?;
        Ok(Self { issuer: Issuer::from_ca_cert_pem(&certificate, pair).map_err(wrong)?, certificate })
    }

    /// The one in these files.
    pub fn read(cert: &Path, key: &Path) -> Result<Self, PkiError> {
        let wrong = |path: &Path| {
            let what = path.display().to_string();
            move |source| PkiError::Certificate { what, source }
        };
        let certificate = read(cert)?;
        let pair = KeyPair::from_pem(&read(key)?).map_err(wrong(key))?;
        let issuer = Issuer::from_ca_cert_pem(&certificate, pair).map_err(wrong(cert))?;
        Ok(Self { certificate, issuer })
    }

    /// The one in these files, or a new one if neither is there.
    pub fn ensure(common_name: &str, cert: &Path, key: &Path) -> Result<Self, PkiError> {
        match (cert.exists(), key.exists()) {
            (true, true) => Self::read(cert, key),
            (false, false) => Self::create(common_name, cert, key),
            (true, false) => Err(PkiError::Half { path: key.into(), present: cert.into() }),
            (false, true) => Err(PkiError::Half { path: cert.into(), present: key.into() }),
        }
    }

    /// Its certificate as PEM.
    #[must_use]
    pub fn certificate(&self) -> &str {
        &self.certificate
    }

    /// A new key and a certificate for it, both PEM.
    pub fn issue(&self, profile: &Profile, life: Duration) -> Result<(String, String), PkiError> {
        let wrong = |source| PkiError::Certificate { what: profile.common_name.clone(), source };
        let pair = KeyPair::generate().map_err(wrong)?;
        let mut params = params(&profile.common_name, &profile.organizations, life);
        for name in &profile.dns {
            params.subject_alt_names.push(SanType::DnsName(name.clone().try_into().map_err(wrong)?));
        }
        params.subject_alt_names.extend(profile.ips.iter().copied().map(SanType::IpAddress));
        usages(&mut params, profile.server, profile.client);
        let certificate = params.signed_by(&pair, &self.issuer).map_err(wrong)?;
        Ok((certificate.pem(), pair.serialize_pem()))
    }

    /// Signs a request as it stands, for servers or clients. What it asks for was judged before.
    pub fn sign(&self, request: &str, server: bool, client: bool, life: Duration) -> Result<String, PkiError> {
        let wrong = |source| PkiError::Certificate { what: "the certificate signing request".into(), source };
        let mut request = CertificateSigningRequestParams::from_pem(request).map_err(wrong)?;
        lifetime(&mut request.params, life);
        usages(&mut request.params, server, client);
        request.params.is_ca = IsCa::ExplicitNoCa;
        request.params.custom_extensions.clear();
        Ok(request.signed_by(&self.issuer).map_err(wrong)?.pem())
    }
}

fn params(common_name: &str, organizations: &[String], life: Duration) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.subject_alt_names.clear();
    for organization in organizations {
        params.distinguished_name.push(DnType::OrganizationName, organization.as_str());
    }
    params.distinguished_name.push(DnType::CommonName, common_name);
    lifetime(&mut params, life);
    params
}

fn lifetime(params: &mut CertificateParams, life: Duration) {
    let now = SystemTime::now();
    params.not_before = if life < SHORT { now } else { now - EARLIER }.into();
    params.not_after = (now + life).into();
}

fn usages(params: &mut CertificateParams, server: bool, client: bool) {
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages =
        [server.then_some(ExtendedKeyUsagePurpose::ServerAuth), client.then_some(ExtendedKeyUsagePurpose::ClientAuth)]
            .into_iter()
            .flatten()
            .collect();
    params.use_authority_key_identifier_extension = true;
}
