//! Numbers, which stay text: what they are is for the reader to say.

use super::{Scan, Scanner};

impl<'a> Scanner<'a> {
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
}
