//! Why a body could not be read, or an object not be written.

use crate::{Status, status};

/// A body that is no object. The texts are those of upstream's decoders.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// The bytes are not JSON.
    #[error("{0}")]
    Syntax(String),
    /// The bytes are not YAML.
    #[error("error converting YAML to JSON: yaml: {0}")]
    Yaml(String),
    /// A value has the wrong type.
    #[error("{0}")]
    Type(String),
    /// A number does not fit a field of whole numbers.
    #[error("json: cannot unmarshal number {number} into Go {place} of type {go}")]
    Number {
        /// As it is written.
        number: String,
        /// Which field.
        place: String,
        /// What the field is.
        go: String,
    },
    /// Neither the body nor the request says what kind of object it is.
    #[error("Object 'Kind' is missing in '{0}'")]
    NoKind(String),
    /// The `apiVersion` cannot be read.
    #[error("unexpected GroupVersion string: {0}")]
    ApiVersion(String),
    /// The bytes are not the protobuf they should be.
    #[error("{0}")]
    Protobuf(&'static str),
    /// The field table knows no such kind, so it cannot be read from protobuf.
    #[error("no kind \"{kind}\" is registered for version \"{api_version}\" in scheme")]
    UnknownKind {
        /// As the envelope says it.
        api_version: String,
        /// As the envelope says it.
        kind: String,
    },
}

/// An object that cannot be written in this form.
#[derive(Debug, thiserror::Error)]
pub enum EncodeError {
    /// The field table knows no such kind, so it has no protobuf form.
    #[error("kind {0} has no protobuf form")]
    UnknownKind(String),
    /// The object does not fit its kind.
    #[error("object does not fit the protobuf form of its kind: {0}")]
    Shape(String),
    /// The object has no YAML form.
    #[error("object cannot be written as YAML")]
    Yaml(#[source] Box<dyn std::error::Error + Send + Sync>),
}

// === impl DecodeError ===

impl DecodeError {
    /// 400, as upstream's handlers word it. `kind` is what the request should have carried; `body` is
    /// told in part where the fault lies before the kind was known.
    #[must_use]
    pub fn status(&self, version: &str, kind: &str, body: &[u8]) -> Status {
        let text = match self {
            Self::Type(_) | Self::Number { .. } => {
                format!("{kind} in version \"{version}\" cannot be handled as a {kind}: {self}")
            }
            Self::Syntax(_) => format!(
                "the object provided is unrecognized (must be of type {kind}): couldn't get version/kind; json parse error: {self} ({})",
                summary(body)
            ),
            _ => format!("the object provided is unrecognized (must be of type {kind}): {self} ({})", summary(body)),
        };
        status::Status::bad_request(text)
    }
}

/// The first 30 bytes, in hexadecimal unless they begin as an object does.
fn summary(body: &[u8]) -> String {
    const SHOWN: usize = 30;
    let head = &body[..body.len().min(SHOWN)];
    let more = if body.len() > SHOWN { " ..." } else { "" };
    match body.first() {
        None => "<empty>".into(),
        Some(b'{') => format!("{}{more}", String::from_utf8_lossy(head)),
        Some(_) => format!("{}{more}", head.iter().map(|b| format!("{b:02x}")).collect::<String>()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bad_bodies_are_answered_in_the_words_of_upstream() {
        let syntax = DecodeError::Syntax("unexpected end of JSON input".into());
        assert_eq!(
            syntax.status("v1", "Pod", b"{").message,
            "the object provided is unrecognized (must be of type Pod): couldn't get version/kind; json parse error: \
             unexpected end of JSON input ({)"
        );
        let long = b"not an object, but rather a long text";
        let message = syntax.status("v1", "Pod", long).message;
        assert!(message.contains("(6e6f7420616e20") && message.ends_with(" ...)"), "{message}");
        let wrong = DecodeError::Type("json: cannot unmarshal".into()).status("v1", "Pod", b"{}");
        assert_eq!(wrong.message, "Pod in version \"v1\" cannot be handled as a Pod: json: cannot unmarshal");
        assert_eq!(wrong.code, 400);
    }
}
