//! `name`, `name:port` and `scheme:name:port`, the three ways to name what is proxied to.

use std::fmt::Write;

/// What a name says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Address {
    /// Whether TLS is spoken.
    pub(super) tls: bool,
    /// Of the object.
    pub(super) name: String,
    /// A number or a name, empty for the default.
    pub(super) port: String,
}

// === impl Address ===

impl Address {
    /// Reads a name; `None` if it has too many parts, an unknown scheme or no name.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let parts: Vec<&str> = text.split(':').collect();
        let (scheme, name, port) = match parts.as_slice() {
            [name] => ("", *name, ""),
            [name, port] => ("", *name, *port),
            [scheme @ ("" | "http" | "https"), name, port] => (*scheme, *name, *port),
            _ => return None,
        };
        (!name.is_empty()).then(|| Self { tls: scheme == "https", name: name.into(), port: port.into() })
    }

    /// The port of the scheme.
    pub(super) const fn default_port(&self) -> u16 {
        if self.tls { 443 } else { 80 }
    }
}

/// Percent-encodes what may not stand in a query.
pub(super) fn encode(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' | b'/' | b':' | b'@' | b',' => {
                out.push(char::from(byte));
            }
            other => write!(out, "%{other:02X}").expect("writing to a String does not fail"),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_three_forms_are_read() {
        let read = |text: &str| Address::parse(text).map(|a| (a.tls, a.name, a.port));
        assert_eq!(read("a"), Some((false, "a".into(), String::new())));
        assert_eq!(read("a:80"), Some((false, "a".into(), "80".into())));
        assert_eq!(read("https:a:web"), Some((true, "a".into(), "web".into())));
        assert_eq!(read("https:a:"), Some((true, "a".into(), String::new())));
        for wrong in ["", ":80", "ftp:a:1", "a:b:c:d", "http::1"] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }
}
