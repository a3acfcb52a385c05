//! Strings and their escapes.

use std::borrow::Cow;

use super::{Scan, Scanner, end};

impl<'a> Scanner<'a> {
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
}
