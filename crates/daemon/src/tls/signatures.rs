//! [`signatures_judged_by`]: a verifier that leaves signatures to another one.

/// The three functions about signatures that callers' and servers' verifiers both have, left to another verifier.
macro_rules! signatures_judged_by {
    ($this:ident => $judge:expr) => {
        fn verify_tls12_signature(
            &$this,
            message: &[u8],
            leaf: &rustls::pki_types::CertificateDer<'_>,
            signature: &rustls::DigitallySignedStruct,
        ) -> Result<rustls::client::danger::HandshakeSignatureValid, rustls::Error> {
            $judge.verify_tls12_signature(message, leaf, signature)
        }

        fn verify_tls13_signature(
            &$this,
            message: &[u8],
            leaf: &rustls::pki_types::CertificateDer<'_>,
            signature: &rustls::DigitallySignedStruct,
        ) -> Result<rustls::client::danger::HandshakeSignatureValid, rustls::Error> {
            $judge.verify_tls13_signature(message, leaf, signature)
        }

        fn supported_verify_schemes(&$this) -> Vec<rustls::SignatureScheme> {
            $judge.supported_verify_schemes()
        }
    };
}

pub(crate) use signatures_judged_by;
