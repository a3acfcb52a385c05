//! Container logs on disk, in the form that the runtime writes: `TIME STREAM TAG CONTENT`, where tag `P`
//! marks a line that goes on.

pub mod read;
pub mod rotate;

use std::borrow::Cow;

/// One line of a log file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line<'a> {
    /// RFC 3339 with nanoseconds.
    pub stamp: &'a str,
    /// `stdout` or `stderr`.
    pub stream: &'a str,
    /// Whether the line goes on in the next one.
    pub partial: bool,
    text: &'a [u8],
}

// === impl Line ===

impl<'a> Line<'a> {
    /// Reads a line, with or without its end; `None` if it is not of this form.
    #[must_use]
    pub fn parse(line: &'a [u8]) -> Option<Self> {
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        let mut parts = line.splitn(4, |b| *b == b' ');
        let mut word = || parts.next().and_then(|w| std::str::from_utf8(w).ok());
        let (stamp, stream, tag) = (word()?, word()?, word()?);
        if !matches!(stream, "stdout" | "stderr") {
            return None;
        }
        let text = line.get(stamp.len() + stream.len() + tag.len() + 3..).unwrap_or_default();
        Some(Self { stamp, stream, partial: tag.split(':').next() == Some("P"), text })
    }

    /// What the container wrote, with the line's end unless it goes on.
    #[must_use]
    pub fn content(&self) -> Cow<'a, [u8]> {
        if self.partial { self.text.into() } else { [self.text, b"\n"].concat().into() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn partial_lines_have_no_end() {
        let line = Line::parse(b"2026-01-01T00:00:00.000000001Z stdout P a b\n").expect("a line");
        assert_eq!((line.stream, line.partial, &*line.content()), ("stdout", true, b"a b".as_slice()));
        let line = Line::parse(b"2026-01-01T00:00:00Z stderr F ").expect("a line");
        assert_eq!(&*line.content(), b"\n");
        assert_eq!(Line::parse(b"nonsense"), None);
    }
}
