//! Continue tokens: where the next page of a list starts, and at which revision
//! (`k8s.io/apiserver/pkg/storage/continue.go`). The key in a token is relative to the resource's
//! prefix, so a token cannot lead out of it.

use base64::alphabet::URL_SAFE;
use base64::engine::general_purpose::{GeneralPurpose, NO_PAD, URL_SAFE_NO_PAD};
use base64::{DecodeError, Engine};
use nakhoda_api::{Status, wire};
use serde::{Deserialize, Serialize};
use serde_json::Value;

const VERSION: &str = "meta.k8s.io/v1";
const TOO_OLD: &str = "The provided continue parameter is too old to display a consistent list result. \
    You can start a new list without the continue parameter, or use the continue token in this response to \
    retrieve the remainder of the results. Continuing with the provided token results in an inconsistent \
    list - objects that were created, modified, or deleted between the time the first chunk was returned \
    and now may show up in the list.";

/// Where a list goes on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// `None`: at the newest revision, inconsistent with the pages before.
    pub revision: Option<u64>,
    /// The first key of the page, without the resource's prefix.
    pub start: String,
}

#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
struct Wire {
    #[serde(rename = "v")]
    version: String,
    #[serde(rename = "rv")]
    revision: i64,
    start: String,
}

/// Go does not mind bits that are left over at the end.
const LENIENT: GeneralPurpose = GeneralPurpose::new(&URL_SAFE, NO_PAD.with_decode_allow_trailing_bits(true));

/// The token in JSON, or what Go's decoder says of it.
fn read(bytes: &[u8]) -> Result<Wire, String> {
    // a byte that is no text is told as if it were a character
    if let Some(byte) = bytes.iter().find(|byte| !byte.is_ascii_whitespace()).filter(|byte| !byte.is_ascii()) {
        return Err(format!("invalid character '{}' looking for beginning of value", char::from(*byte)));
    }
    let (value, _) = wire::read_any(bytes).map_err(|error| error.to_string())?;
    let kind = |value: &Value| match value {
        Value::Array(_) => "array",
        Value::Object(_) => "object",
        Value::String(_) => "string",
        Value::Bool(_) => "bool",
        Value::Number(_) | Value::Null => "number",
    };
    let map = match &value {
        Value::Null => return Ok(Wire::default()),
        Value::Object(map) => map,
        other => {
            return Err(format!("json: cannot unmarshal {} into Go value of type storage.continueToken", kind(other)));
        }
    };
    for (field, ty) in [("v", "string"), ("rv", "int64"), ("start", "string")] {
        let fits = |value: &Value| value.is_null() || if ty == "string" { value.is_string() } else { value.is_i64() };
        if let Some(other) = map.get(field).filter(|value| !fits(value)) {
            let kind = kind(other);
            return Err(format!(
                "json: cannot unmarshal {kind} into Go struct field continueToken.{field} of type {ty}"
            ));
        }
    }
    serde_json::from_value(value).map_err(|error| error.to_string())
}

// === impl Token ===

impl Token {
    /// As the client carries it.
    #[must_use]
    pub fn encode(&self) -> String {
        let revision = self.revision.and_then(|r| i64::try_from(r).ok()).unwrap_or(-1);
        let wire = Wire { version: VERSION.into(), revision, start: self.start.clone() };
        URL_SAFE_NO_PAD.encode(serde_json::to_vec(&wire).expect("three plain fields always serialise"))
    }

    /// Reads what a client sent; 400 if it is no token.
    pub fn decode(text: &str) -> Result<Self, Status> {
        let invalid =
            |why: String| Status::bad_request(format!("invalid continue token: continue key is not valid: {why}"));
        let bytes = LENIENT.decode(text).map_err(|e| {
            let at = match e {
                DecodeError::InvalidByte(at, _) | DecodeError::InvalidLastSymbol(at, _) => at,
                DecodeError::InvalidLength(_) => text.len().saturating_sub(1),
                DecodeError::InvalidPadding => text.find('=').unwrap_or(text.len()),
            };
            invalid(format!("illegal base64 data at input byte {at}"))
        })?;
        let wire = read(&bytes).map_err(invalid)?;
        if wire.version != VERSION {
            return Err(invalid(format!("server does not recognize this encoded version {}", wire.version)));
        }
        if wire.revision == 0 {
            return Err(invalid("incorrect encoded start resourceVersion (version meta.k8s.io/v1)".into()));
        }
        let start = wire.start.trim_start_matches('/').to_owned();
        if start.is_empty() {
            return Err(invalid("encoded start key empty (version meta.k8s.io/v1)".into()));
        }
        if start.split('/').any(|part| part == "." || part == ".." || part.is_empty()) {
            return Err(invalid(start));
        }
        Ok(Self { revision: u64::try_from(wire.revision).ok(), start })
    }

    /// 410 with a token that goes on at the newest revision.
    #[must_use]
    pub fn expired(&self) -> Status {
        let mut status = Status::expired(TOO_OLD);
        status.metadata.continue_ = Self { revision: None, start: self.start.clone() }.encode();
        status
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_survives_the_journey() {
        let token = Token { revision: Some(7), start: "default/a\0".into() };
        assert_eq!(Token::decode(&token.encode()), Ok(token));
    }

    #[test]
    fn a_token_cannot_climb_out_of_its_prefix() {
        let token = Token { revision: Some(7), start: "../secrets/a".into() };
        assert!(Token::decode(&token.encode()).is_err_and(|s| s.code == 400));
    }

    #[test]
    fn an_expired_token_offers_an_inconsistent_one() {
        let status = Token { revision: Some(7), start: "a".into() }.expired();
        assert_eq!(Token::decode(&status.metadata.continue_).map(|t| t.revision), Ok(None));
        assert_eq!(status.code, 410);
    }
}
