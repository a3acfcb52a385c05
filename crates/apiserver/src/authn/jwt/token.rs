//! A token as it comes: header, claims, signature, and what must be so of every token.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::Value;

/// Google's tokens may leave the scheme out.
const GOOGLE: &str = "accounts.google.com";
/// How far the clock of an issuer may be ahead.
const LEEWAY: SignedDuration = SignedDuration::from_mins(1);

/// A token whose signature is not checked yet.
#[derive(Clone, Debug)]
pub struct Token<'a> {
    /// How it is signed.
    pub header: Header,
    /// What it says.
    pub claims: Value,
    /// What is signed.
    pub signed: &'a str,
    /// By what.
    pub signature: Vec<u8>,
}

/// How a token is signed.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Header {
    /// The algorithm.
    pub alg: String,
    /// The key.
    #[serde(default)]
    pub kid: String,
    /// What must be understood; nothing is.
    #[serde(default)]
    crit: Vec<String>,
}

/// Why a token is not accepted.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum TokenError {
    /// It is not one.
    #[error("oidc: malformed jwt")]
    Malformed,
    /// It is signed in a way that is not accepted.
    #[error("oidc: id token signed with unsupported algorithm, expected {expected:?} got {got:?}")]
    Algorithm {
        /// What is accepted.
        expected: Vec<String>,
        /// What it is.
        got: String,
    },
    /// It is for others.
    #[error("oidc: expected audience in {expected:?} got {got:?}")]
    Audience {
        /// For whom it may be.
        expected: Vec<String>,
        /// For whom it is.
        got: Vec<String>,
    },
    /// It is over.
    #[error("oidc: token is expired (Token Expiry: {0})")]
    Expired(Timestamp),
    /// It has not begun.
    #[error("oidc: current time {now} before the nbf (not before) time: {begins}")]
    Early {
        /// Now.
        now: Timestamp,
        /// When it begins.
        begins: Timestamp,
    },
}

// === impl Token ===

impl<'a> Token<'a> {
    /// Takes a token apart.
    pub fn parse(text: &'a str) -> Result<Self, TokenError> {
        let malformed = |_| TokenError::Malformed;
        let parts: Vec<&str> = text.split('.').collect();
        let [header, claims, signature] = parts.as_slice() else { return Err(TokenError::Malformed) };
        let decode = |part: &str| URL_SAFE_NO_PAD.decode(part).map_err(malformed);
        let json = |_| TokenError::Malformed;
        let token = Self {
            header: serde_json::from_slice(&decode(header)?).map_err(json)?,
            claims: serde_json::from_slice(&decode(claims)?).map_err(json)?,
            signed: &text[..header.len() + 1 + claims.len()],
            signature: decode(signature)?,
        };
        let usable = token.claims.is_object() && token.header.crit.is_empty();
        if usable { Ok(token) } else { Err(TokenError::Malformed) }
    }

    /// Who it says it is from.
    #[must_use]
    pub fn issuer(&self) -> &str {
        match self.claims["iss"].as_str().unwrap_or_default() {
            GOOGLE => "https://accounts.google.com",
            issuer => issuer,
        }
    }

    /// Whether it is signed in one of these ways.
    pub fn check_algorithm(&self, accepted: &[String]) -> Result<(), TokenError> {
        if accepted.contains(&self.header.alg) {
            return Ok(());
        }
        Err(TokenError::Algorithm { expected: accepted.to_vec(), got: self.header.alg.clone() })
    }

    /// Whether it is for one of these audiences, and in force.
    pub fn check_claims(&self, accepted: &[String], now: Timestamp) -> Result<(), TokenError> {
        let got: Vec<String> = match &self.claims["aud"] {
            Value::String(one) => vec![one.clone()],
            Value::Array(several) => several.iter().filter_map(|one| one.as_str().map(str::to_owned)).collect(),
            _ => Vec::new(),
        };
        if !got.iter().any(|audience| accepted.contains(audience)) {
            return Err(TokenError::Audience { expected: accepted.to_vec(), got });
        }
        // a token that does not say when it ends has ended
        let ends = time(&self.claims["exp"])?.unwrap_or(Timestamp::UNIX_EPOCH);
        if ends < now {
            return Err(TokenError::Expired(ends));
        }
        match time(&self.claims["nbf"])? {
            Some(begins) if now.saturating_add(LEEWAY).is_ok_and(|soon| soon < begins) => {
                Err(TokenError::Early { now, begins })
            }
            _ => Ok(()),
        }
    }
}

/// Seconds since 1970, whole or not.
fn time(value: &Value) -> Result<Option<Timestamp>, TokenError> {
    if value.is_null() {
        return Ok(None);
    }
    let seconds = value.as_i64().or_else(|| value.as_f64().map(|seconds| seconds as i64));
    let seconds = seconds.ok_or(TokenError::Malformed)?;
    Ok(Some(Timestamp::from_second(seconds).unwrap_or(if seconds > 0 { Timestamp::MAX } else { Timestamp::MIN })))
}
