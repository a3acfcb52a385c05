//! What a machine needs to join a cluster: a bootstrap token, the hash of the authority it may trust, and the
//! signature by which it knows that what a stranger tells it about the cluster comes from somebody who knows
//! the token. The forms are kubeadm's (`id.secret`, `sha256:HEX` of the public key, a detached JWS).

use std::fmt;
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::hmac;
use ring::rand::{SecureRandom, SystemRandom};
use sha2::{Digest, Sha256};
use x509_parser::pem::Pem;

const ID_LENGTH: usize = 6;
const SECRET_LENGTH: usize = 16;
const ALPHABET: &[u8; 36] = b"abcdefghijklmnopqrstuvwxyz0123456789";

/// A bootstrap token.
#[derive(Clone, PartialEq, Eq)]
pub struct Token {
    /// Public: names the Secret that holds it.
    pub id: String,
    /// Known to who may join.
    pub secret: String,
}

/// Not a bootstrap token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a token is ID.SECRET: 6 and 16 characters out of a-z and 0-9 (ctl token create prints one)")]
pub struct NotAToken;

/// What was signed is not what is there, or by another token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the signature does not fit")]
pub struct NotSigned;

/// A file of authorities that holds no certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no certificate in PEM")]
pub struct NoAuthority;

// === impl Token ===

impl Token {
    /// A new one.
    ///
    /// # Errors
    ///
    /// The system has no randomness.
    pub fn generate() -> Result<Self, ring::error::Unspecified> {
        let text = random(ID_LENGTH + SECRET_LENGTH)?;
        let (id, secret) = text.split_at(ID_LENGTH);
        Ok(Self { id: id.into(), secret: secret.into() })
    }

    /// The detached signature of a text: a JWS by HMAC-SHA256 without its payload.
    #[must_use]
    pub fn sign(&self, text: &str) -> String {
        let header = URL_SAFE_NO_PAD.encode(format!(r#"{{"alg":"HS256","kid":"{}"}}"#, self.id));
        let tag = hmac::sign(&self.key(), signed(&header, text).as_bytes());
        format!("{header}..{}", URL_SAFE_NO_PAD.encode(tag))
    }

    /// Checks such a signature.
    pub fn verify(&self, text: &str, signature: &str) -> Result<(), NotSigned> {
        let (header, tag) = signature.split_once("..").ok_or(NotSigned)?;
        let tag = URL_SAFE_NO_PAD.decode(tag).map_err(|_| NotSigned)?;
        hmac::verify(&self.key(), signed(header, text).as_bytes(), &tag).map_err(|_| NotSigned)
    }

    fn key(&self) -> hmac::Key {
        hmac::Key::new(hmac::HMAC_SHA256, self.secret.as_bytes())
    }
}

impl FromStr for Token {
    type Err = NotAToken;

    fn from_str(text: &str) -> Result<Self, NotAToken> {
        let (id, secret) = text.split_once('.').ok_or(NotAToken)?;
        let fits = |part: &str, length| part.len() == length && part.bytes().all(|byte| ALPHABET.contains(&byte));
        if !fits(id, ID_LENGTH) || !fits(secret, SECRET_LENGTH) {
            return Err(NotAToken);
        }
        Ok(Self { id: id.into(), secret: secret.into() })
    }
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.id, self.secret)
    }
}

impl fmt::Debug for Token {
    /// The secret stays out of logs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.…", self.id)
    }
}

/// The hashes of the public keys of authorities in PEM, each as `sha256:HEX`.
pub fn authority_hashes(pem: &str) -> Result<Vec<String>, NoAuthority> {
    let mut hashes = Vec::new();
    for block in Pem::iter_from_buffer(pem.as_bytes()) {
        let block = block.map_err(|_| NoAuthority)?;
        let certificate = block.parse_x509().map_err(|_| NoAuthority)?;
        let digest = Sha256::digest(certificate.public_key().raw);
        hashes.push(format!("sha256:{}", digest.iter().map(|byte| format!("{byte:02x}")).collect::<String>()));
    }
    if hashes.is_empty() { Err(NoAuthority) } else { Ok(hashes) }
}

fn signed(header: &str, text: &str) -> String {
    format!("{header}.{}", URL_SAFE_NO_PAD.encode(text))
}

/// Characters of the alphabet, each as likely as any other.
fn random(length: usize) -> Result<String, ring::error::Unspecified> {
    let system = SystemRandom::new();
    let mut text = String::with_capacity(length);
    while text.len() < length {
        let mut bytes = [0; 32];
        system.fill(&mut bytes)?;
        // 252 is the last multiple of 36 that fits a byte.
        let even = bytes.iter().filter(|byte| **byte < 252).map(|byte| char::from(ALPHABET[usize::from(*byte) % 36]));
        text.extend(even.take(length - text.len()));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_read_as_it_is_printed() {
        let token = Token::generate().expect("randomness");
        assert_eq!(token.to_string().parse(), Ok(token.clone()));
        assert!(!format!("{token:?}").contains(&token.secret));
        for wrong in ["", "abcdef", "abcdef.0123456789abcde", "ABCDEF.0123456789abcdef", "abcde.0123456789abcdef"] {
            assert_eq!(wrong.parse::<Token>(), Err(NotAToken), "{wrong}");
        }
    }

    #[test]
    fn only_the_token_that_signed_a_text_vouches_for_it() {
        let token: Token = "abcdef.0123456789abcdef".parse().expect("a token");
        let other: Token = "abcdef.0123456789abcdee".parse().expect("a token");
        let signature = token.sign("text");
        assert!(signature.starts_with("eyJhbGciOiJIUzI1NiIsImtpZCI6ImFiY2RlZiJ9.."), "{signature}");
        assert_eq!(token.verify("text", &signature), Ok(()));
        assert_eq!(token.verify("texts", &signature), Err(NotSigned));
        assert_eq!(other.verify("text", &signature), Err(NotSigned));
    }

    #[test]
    fn an_authority_is_known_by_its_public_key() {
        let folder = std::env::temp_dir().join(format!("nakhoda-hash-{}", std::process::id()));
        let (cert, key) = (folder.join("ca.crt"), folder.join("ca.key"));
        let authority = crate::pki::Authority::create("ca", &cert, &key).expect("made");
        let hashes = authority_hashes(authority.certificate()).expect("hashes");
        assert!(hashes.len() == 1 && hashes[0].len() == "sha256:".len() + 64);
        assert_eq!(authority_hashes("nothing"), Err(NoAuthority));
        std::fs::remove_dir_all(folder).expect("removed");
    }
}
