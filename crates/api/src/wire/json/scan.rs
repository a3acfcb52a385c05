//! [`Scanner`]: the tokens of a JSON text, with the error texts of Go's `encoding/json`.
//!
//! Invariant: everything that was passed over was valid JSON, and nesting never exceeds [`MAX_DEPTH`],
//! so recursion over what was read is bounded. (Upstream's bound is 10,000; objects deeper than ours
//! could not be read back from the store.)

mod number;
mod string;

use std::borrow::Cow;

/// The deepest nesting that is read.
pub(crate) const MAX_DEPTH: u32 = 120;

/// A position in a JSON text.
#[derive(Clone, Debug)]
pub(crate) struct Scanner<'a> {
    text: &'a str,
    at: usize,
    depth: u32,
}

/// Why a text is not JSON.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SyntaxError(pub(crate) String);

pub(crate) type Scan<T> = Result<T, SyntaxError>;

// === impl Scanner ===

impl<'a> Scanner<'a> {
    pub(crate) const fn new(text: &'a str) -> Self {
        Self { text, at: 0, depth: 0 }
    }

    fn bytes(&self) -> &'a [u8] {
        self.text.as_bytes()
    }

    /// The first byte of the next value, not taken.
    pub(crate) fn peek(&mut self) -> Scan<u8> {
        self.space();
        let byte = self.bytes().get(self.at).copied().ok_or_else(end)?;
        match byte {
            b'{' | b'[' | b'"' | b'-' | b'0'..=b'9' | b't' | b'f' | b'n' => Ok(byte),
            _ => Err(self.invalid("looking for beginning of value")),
        }
    }

    fn space(&mut self) {
        while matches!(self.bytes().get(self.at), Some(b' ' | b'\n' | b'\t' | b'\r')) {
            self.at += 1;
        }
    }

    /// Takes `{` or `[`.
    pub(crate) fn open(&mut self) -> Scan<()> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(SyntaxError("exceeded max depth".into()));
        }
        self.at += 1;
        Ok(())
    }

    /// The next key of an object that was opened, or `None` at its end. Takes the colon too.
    pub(crate) fn key(&mut self, first: bool) -> Scan<Option<Cow<'a, str>>> {
        if !self.more(first, b'}', "after object key:value pair")? {
            return Ok(None);
        }
        if self.bytes().get(self.at) != Some(&b'"') {
            return Err(self.invalid("looking for beginning of object key string"));
        }
        let key = self.string()?;
        self.space();
        if self.bytes().get(self.at) != Some(&b':') {
            return Err(self.invalid("after object key"));
        }
        self.at += 1;
        Ok(Some(key))
    }

    /// Whether an array that was opened has another element.
    pub(crate) fn element(&mut self, first: bool) -> Scan<bool> {
        self.more(first, b']', "after array element")
    }

    fn more(&mut self, first: bool, close: u8, context: &str) -> Scan<bool> {
        self.space();
        let byte = self.bytes().get(self.at).copied().ok_or_else(end)?;
        if byte == close {
            self.at += 1;
            self.depth -= 1;
            return Ok(false);
        }
        if !first {
            if byte != b',' {
                return Err(self.invalid(context));
            }
            self.at += 1;
            self.space();
        }
        Ok(true)
    }

    /// Takes `true`, `false` or `null`, whose first letter [`Self::peek`] has seen.
    pub(crate) fn literal(&mut self, word: &str) -> Scan<()> {
        for expected in word.chars() {
            if self.bytes().get(self.at).ok_or_else(end)? != &(expected as u8) {
                return Err(self.invalid(&format!("in literal {word} (expecting '{expected}')")));
            }
            self.at += 1;
        }
        Ok(())
    }

    /// Passes over a value and gives its text.
    pub(crate) fn skip(&mut self) -> Scan<&'a str> {
        let first = self.peek()?;
        let start = self.at;
        match first {
            b'{' => {
                self.open()?;
                let mut first = true;
                while self.key(first)?.is_some() {
                    self.skip()?;
                    first = false;
                }
            }
            b'[' => {
                self.open()?;
                let mut first = true;
                while self.element(first)? {
                    self.skip()?;
                    first = false;
                }
            }
            b'"' => drop(self.string()?),
            b't' => self.literal("true")?,
            b'f' => self.literal("false")?,
            b'n' => self.literal("null")?,
            _ => drop(self.number()?),
        }
        Ok(&self.text[start..self.at])
    }

    /// Nothing but white space may follow.
    pub(crate) fn finish(&mut self) -> Scan<()> {
        self.space();
        if self.at == self.text.len() { Ok(()) } else { Err(self.invalid("after top-level value")) }
    }

    #[cold]
    fn invalid(&self, context: &str) -> SyntaxError {
        let Some(found) = self.text[self.at..].chars().next() else { return end() };
        // Go looks at bytes, not at characters.
        let quoted = match found {
            '\'' => r"'\''".into(),
            '"' => "'\"'".into(),
            c if c.is_ascii() => format!("'{}'", c.escape_debug()),
            _ => format!("'{}'", char::from(self.bytes()[self.at])),
        };
        SyntaxError(format!("invalid character {quoted} {context}"))
    }
}

#[cold]
fn end() -> SyntaxError {
    SyntaxError("unexpected end of JSON input".into())
}

#[cfg(test)]
mod tests;
