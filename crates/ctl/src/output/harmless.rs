//! Texts that others wrote, on a terminal: what would steer it is shown instead (`printers.WriteEscaped`).

/// The text with escapes and other control characters in view; lines and tabs stay.
#[must_use]
pub fn harmless(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '\n' | '\t' => shown.push(letter),
            '\u{1b}' => shown.push_str("^["),
            '\r' => shown.push_str("\\r"),
            letter if letter.is_control() => shown.extend(letter.escape_default()),
            letter => shown.push(letter),
        }
    }
    shown
}

/// What stands before the first break of a line, and that there is more.
#[must_use]
pub fn first_line(text: &str) -> String {
    match text.find(['\u{c}', '\n', '\r']) {
        Some(end) => format!("{}...", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_steers_a_terminal_is_shown() {
        assert_eq!(harmless("a\tb\nc"), "a\tb\nc");
        assert_eq!(harmless("\u{1b}[31mred\u{1b}[0m\r\u{8}"), "^[[31mred^[[0m\\r\\u{8}");
        assert_eq!((first_line("a\nb"), first_line("a")), ("a...".to_owned(), "a".to_owned()));
    }
}
