//! Patterns in the syntax of RE2 as Go has it, run by the `regex` crate: both are linear in the text.
//!
//! The two differ in the letters for classes, which are ASCII in Go, and in what they let stand in brackets.

use std::sync::{Arc, OnceLock};

use regex::Regex;
use serde::{Deserialize, Deserializer};

/// A pattern, compiled when it is first used.
#[derive(Clone, Debug, Default)]
pub struct Pattern {
    text: String,
    regex: Arc<OnceLock<Result<Regex, String>>>,
}

// === impl Pattern ===

impl Pattern {
    /// As it was written; empty if there is none.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The compiled form, or what is wrong with it.
    pub fn regex(&self) -> Result<&Regex, &str> {
        self.regex.get_or_init(|| compile(&self.text)).as_ref().map_err(String::as_str)
    }
}

impl From<String> for Pattern {
    fn from(text: String) -> Self {
        Self { text, regex: Arc::default() }
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl<'de> Deserialize<'de> for Pattern {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::from)
    }
}

/// Compiles a pattern of RE2.
pub fn compile(pattern: &str) -> Result<Regex, String> {
    Regex::new(&translated(pattern)).map_err(|error| {
        let text = error.to_string();
        text.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned()
    })
}

/// The same pattern in the syntax of the `regex` crate.
fn translated(pattern: &str) -> String {
    let mut out = String::with_capacity(pattern.len() + 16);
    let mut chars = pattern.chars().peekable();
    let (mut class, mut first) = (false, false);
    while let Some(c) = chars.next() {
        let opens = std::mem::take(&mut first);
        match (c, class) {
            ('\\', _) => {
                let Some(next) = chars.next() else {
                    out.push('\\');
                    break;
                };
                out.push_str(&escape(next));
            }
            ('[', false) => {
                class = true;
                first = true;
                out.push('[');
                if chars.next_if_eq(&'^').is_some() {
                    out.push('^');
                }
            }
            ('[', true) if chars.peek() == Some(&':') => {
                out.push('[');
                for c in chars.by_ref() {
                    out.push(c);
                    if c == ']' {
                        break;
                    }
                }
            }
            ('[' | '&' | '~', true) => out.extend(['\\', c]),
            (']', true) if opens => out.push_str("\\]"),
            (']', true) => {
                class = false;
                out.push(']');
            }
            ('{', false) if !is_count(chars.clone()) => out.push_str("\\{"),
            _ => out.push(c),
        }
    }
    out
}

/// Go's classes know ASCII only.
fn escape(letter: char) -> String {
    match letter {
        'd' => "[0-9]".into(),
        'D' => "[^0-9]".into(),
        'w' => "[0-9A-Za-z_]".into(),
        'W' => "[^0-9A-Za-z_]".into(),
        's' => r"[\t\n\f\r ]".into(),
        'S' => r"[^\t\n\f\r ]".into(),
        'b' => r"(?-u:\b)".into(),
        'B' => r"(?-u:\B)".into(),
        other => format!("\\{other}"),
    }
}

/// Whether what follows a brace makes it a count: `{2}`, `{2,}`, `{2,3}`.
fn is_count(mut chars: std::iter::Peekable<std::str::Chars<'_>>) -> bool {
    let mut digits = 0;
    while chars.next_if(char::is_ascii_digit).is_some() {
        digits += 1;
    }
    if digits == 0 {
        return false;
    }
    if chars.next_if_eq(&',').is_some() {
        while chars.next_if(char::is_ascii_digit).is_some() {}
    }
    chars.next() == Some('}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_mean_what_they_mean_in_go() {
        for (pattern, text, matches) in [
            (r"^\d+$", "12", true),
            (r"^\d+$", "١٢", false),
            (r"^[\w.-]+$", "a_b.c-d", true),
            (r"^[a[&&~]+$", "[&~a", true),
            (r"^a{b$", "a{b", true),
            (r"^a{2}$", "aa", true),
            (r"^[]a]+$", "]a", true),
            (r"^[[:alpha:]]+$", "ab", true),
            (r"\bfoo\b", "a foo b", true),
        ] {
            assert_eq!(compile(pattern).expect(pattern).is_match(text), matches, "{pattern} on {text}");
        }
        assert!(compile("(").is_err());
        assert!(compile("(?=a)").is_err());
    }
}
