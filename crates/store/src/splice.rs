//! Puts `metadata.resourceVersion` into the JSON of an object without decoding it.
//!
//! Objects are stored without a resource version: it is the revision of their key, known only once they
//! are stored. The text goes where the API's own field order has it, after `uid`, else in front. Trusts
//! its input to be JSON that was written by this program or by upstream: other input gives an error or
//! a misplaced splice, never a panic.

use bytes::Bytes;

use crate::error::Error;

mod scan;

use scan::Members;

/// JSON with a resource version in it, and where its digits are, so that another can replace it.
#[derive(Clone, Debug)]
pub struct Spliced {
    /// The whole object.
    pub json: Bytes,
    start: usize,
    end: usize,
}

// === impl Spliced ===

impl Spliced {
    /// The object with its resource version set to `revision`.
    pub fn new(json: &[u8], revision: u64) -> Result<Self, Error> {
        let plan = plan(json).ok_or_else(|| Error::corrupt("no metadata where an object should have it"))?;
        let mut buffer = [0; 20];
        let digits = digits(revision, &mut buffer);
        let parts = [&json[..plan.cut.start], plan.before, digits, plan.after, &json[plan.cut.end..]];
        let start = plan.cut.start + plan.before.len();
        // what is kept as long as the object has no room to spare
        Ok(Self { json: parts.concat().into(), start, end: start + digits.len() })
    }

    /// An object that has no resource version, because no store keeps it.
    #[must_use]
    pub const fn without(json: Bytes) -> Self {
        Self { json, start: 0, end: 0 }
    }

    /// The same object at another revision.
    #[must_use]
    pub fn at(&self, revision: u64) -> Self {
        let mut buffer = [0; 20];
        let digits = digits(revision, &mut buffer);
        let parts = [&self.json[..self.start], digits, &self.json[self.end..]];
        Self { json: parts.concat().into(), start: self.start, end: self.start + digits.len() }
    }
}

/// Replace `cut` by `before`, the digits, `after`.
struct Plan {
    cut: std::ops::Range<usize>,
    before: &'static [u8],
    after: &'static [u8],
}

fn plan(json: &[u8]) -> Option<Plan> {
    let mut root = Members::of(json, 0)?;
    let metadata = loop {
        let member = root.next()?;
        if member.name == b"metadata" {
            break member.value.start;
        }
    };
    let mut members = Members::of(json, metadata)?;
    let mut at = None;
    let mut any = false;
    while let Some(member) = members.next() {
        match member.name {
            b"resourceVersion" => return Some(Plan { cut: member.value, before: b"\"", after: b"\"" }),
            b"uid" => at = Some(member.value.end),
            _ => {}
        }
        any = true;
    }
    Some(match at {
        Some(end) => Plan { cut: end..end, before: b",\"resourceVersion\":\"", after: b"\"" },
        None => Plan {
            cut: metadata + 1..metadata + 1,
            before: b"\"resourceVersion\":\"",
            after: if any { b"\"," } else { b"\"" },
        },
    })
}

fn digits(mut number: u64, buffer: &mut [u8; 20]) -> &[u8] {
    let mut at = buffer.len();
    loop {
        at -= 1;
        buffer[at] = b'0' + u8::try_from(number % 10).unwrap_or(0);
        number /= 10;
        if number == 0 {
            return &buffer[at..];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spliced(json: &str) -> String {
        let spliced = Spliced::new(json.as_bytes(), 42).unwrap();
        assert_eq!(&spliced.json[spliced.start..spliced.end], b"42");
        let again = spliced.at(1234);
        assert_eq!(&again.json[again.start..again.end], b"1234");
        serde_json::from_slice::<serde_json::Value>(&again.json).unwrap();
        String::from_utf8(spliced.json.to_vec()).unwrap()
    }

    #[test]
    fn the_version_follows_the_uid() {
        let json = r#"{"kind":"Pod","metadata":{"name":"a","uid":"u\"}","labels":{"uid":"x"}},"spec":{}}"#;
        let want = r#"{"kind":"Pod","metadata":{"name":"a","uid":"u\"}","resourceVersion":"42","labels":{"uid":"x"}},"spec":{}}"#;
        assert_eq!(spliced(json), want);
    }

    #[test]
    fn without_a_uid_it_comes_first() {
        assert_eq!(spliced(r#"{"metadata":{"name":"a"}}"#), r#"{"metadata":{"resourceVersion":"42","name":"a"}}"#);
        assert_eq!(spliced(r#"{"metadata":{}}"#), r#"{"metadata":{"resourceVersion":"42"}}"#);
    }

    #[test]
    fn an_old_version_is_replaced() {
        let json = "{ \"spec\" : [1, {\"metadata\":{}}, \"]\"] , \"metadata\" : { \"resourceVersion\" : \"7\" , \"uid\":\"u\"} }";
        let want = "{ \"spec\" : [1, {\"metadata\":{}}, \"]\"] , \"metadata\" : { \"resourceVersion\" : \"42\" , \"uid\":\"u\"} }";
        assert_eq!(spliced(json), want);
    }

    #[test]
    fn what_is_no_object_is_an_error() {
        for json in ["", "{", "[]", "{\"metadata\":3}", "{\"a\":{}}", "{\"metadata\":{\"uid\":\"\\", "\"metadata\""] {
            let _ = Spliced::new(json.as_bytes(), 1);
        }
        assert!(Spliced::new(b"{\"a\":{}}", 1).is_err());
        assert!(Spliced::new(b"{\"metadata\":3}", 1).is_err());
    }
}
