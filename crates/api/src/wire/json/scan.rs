//! [`Scanner`]: the tokens of a JSON text, with the error texts of Go's `encoding/json`.
//!
//! Invariant: everything that was passed over was valid JSON, and nesting never exceeds [`MAX_DEPTH`],
//! so recursion over what was read is bounded. (Upstream's bound is 10,000; objects deeper than ours
//! could not be read back from the store.)

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

    /// Takes a string, which [`Self::peek`] has seen.
    pub(crate) fn string(&mut self) -> Scan<Cow<'a, str>> {
        let start = self.at + 1;
        let mut at = start;
        loop {
            match self.bytes().get(at).ok_or_else(end)? {
                b'"' => {
                    self.at = at + 1;
                    return Ok(Cow::Borrowed(&self.text[start..at]));
                }
                b'\\' => return self.escaped(start, at),
                0..0x20 => {
                    self.at = at;
                    return Err(self.invalid("in string literal"));
                }
                _ => at += 1,
            }
        }
    }

    #[cold]
    fn escaped(&mut self, start: usize, mut at: usize) -> Scan<Cow<'a, str>> {
        let mut out = self.text[start..at].to_owned();
        loop {
            let plain = at;
            while !matches!(self.bytes().get(at).ok_or_else(end)?, b'"' | b'\\' | 0..0x20) {
                at += 1;
            }
            out.push_str(&self.text[plain..at]);
            self.at = at + 1;
            match self.bytes()[at] {
                b'"' => return Ok(Cow::Owned(out)),
                b'\\' => out.push(self.escape()?),
                _ => {
                    self.at = at;
                    return Err(self.invalid("in string literal"));
                }
            }
            at = self.at;
        }
    }

    fn escape(&mut self) -> Scan<char> {
        let byte = self.bytes().get(self.at).copied().ok_or_else(end)?;
        let plain = match byte {
            b'"' | b'\\' | b'/' => char::from(byte),
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => {
                self.at += 1;
                return self.unicode();
            }
            _ => return Err(self.invalid("in string escape code")),
        };
        self.at += 1;
        Ok(plain)
    }

    /// Lone surrogates become U+FFFD, as in Go.
    fn unicode(&mut self) -> Scan<char> {
        let high = self.hex()?;
        if let Some(plain) = char::from_u32(high) {
            return Ok(plain);
        }
        let after = self.at;
        if high < 0xdc00 && self.bytes()[self.at..].starts_with(b"\\u") {
            self.at += 2;
            let low = self.hex()?;
            if (0xdc00..0xe000).contains(&low) {
                let code = 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
                return Ok(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER));
            }
            self.at = after;
        }
        Ok(char::REPLACEMENT_CHARACTER)
    }

    fn hex(&mut self) -> Scan<u32> {
        let mut code = 0;
        for _ in 0..4 {
            let byte = self.bytes().get(self.at).copied().ok_or_else(end)?;
            let Some(digit) = char::from(byte).to_digit(16) else {
                return Err(self.invalid("in \\u hexadecimal character escape"));
            };
            code = code * 16 + digit;
            self.at += 1;
        }
        Ok(code)
    }

    /// Takes a number, which [`Self::peek`] has seen.
    pub(crate) fn number(&mut self) -> Scan<&'a str> {
        let start = self.at;
        if self.bytes()[self.at] == b'-' {
            self.at += 1;
        }
        if self.bytes().get(self.at) == Some(&b'0') {
            self.at += 1;
        } else {
            self.digits("in numeric literal")?;
        }
        if self.bytes().get(self.at) == Some(&b'.') {
            self.at += 1;
            self.digits("after decimal point in numeric literal")?;
        }
        if matches!(self.bytes().get(self.at), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.bytes().get(self.at), Some(b'+' | b'-')) {
                self.at += 1;
            }
            self.digits("in exponent of numeric literal")?;
        }
        Ok(&self.text[start..self.at])
    }

    fn digits(&mut self, context: &str) -> Scan<()> {
        let start = self.at;
        while self.bytes().get(self.at).is_some_and(u8::is_ascii_digit) {
            self.at += 1;
        }
        if start == self.at { Err(self.invalid(context)) } else { Ok(()) }
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
mod tests {
    use super::*;

    fn fault(text: &str) -> String {
        let mut scanner = Scanner::new(text);
        scanner.skip().and_then(|_| scanner.finish()).expect_err("is no JSON").0
    }

    #[test]
    fn faults_read_as_in_go() {
        for (text, expected) in [
            ("", "unexpected end of JSON input"),
            ("{", "unexpected end of JSON input"),
            ("{x", "invalid character 'x' looking for beginning of object key string"),
            (r#"{"a" 1}"#, "invalid character '1' after object key"),
            (r#"{"a":1 "b""#, "invalid character '\"' after object key:value pair"),
            ("[1 2]", "invalid character '2' after array element"),
            ("[1,]", "invalid character ']' looking for beginning of value"),
            ("{} x", "invalid character 'x' after top-level value"),
            ("trze", "invalid character 'z' in literal true (expecting 'u')"),
            ("\"\\x\"", "invalid character 'x' in string escape code"),
            ("1.x", "invalid character 'x' after decimal point in numeric literal"),
        ] {
            assert_eq!(fault(text), expected, "{text}");
        }
    }

    #[test]
    fn strings_are_unescaped() {
        let mut scanner = Scanner::new(r#""a\n\u00e4\ud83d\ude00\ud83dx""#);
        assert_eq!(scanner.string().expect("a string"), "a\n\u{e4}\u{1f600}\u{fffd}x");
    }

    #[test]
    fn deep_nesting_is_refused_before_the_stack_ends() {
        assert_eq!(fault(&"[".repeat(100_000)), "exceeded max depth");
        assert_eq!(fault(&r#"{"a":"#.repeat(100_000)), "exceeded max depth");
    }
}
