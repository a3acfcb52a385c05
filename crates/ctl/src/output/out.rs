//! Writing to standard output. A reader that has gone away, as `head` does, ends the program quietly.

use std::fmt::Arguments;
use std::io::Write;

/// What a shell sees of a program that died of SIGPIPE.
const SIGPIPE: i32 = 141;

/// Writes a line to standard output.
#[macro_export]
macro_rules! say {
    ($($part:tt)*) => { $crate::output::out::write(format_args!("{}\n", format_args!($($part)*))) };
}

/// Writes a text.
pub fn text(text: &str) {
    bytes(text.as_bytes());
}

/// Writes bytes.
pub fn bytes(bytes: &[u8]) {
    let mut out = std::io::stdout().lock();
    if out.write_all(bytes).and_then(|()| out.flush()).is_err() {
        std::process::exit(SIGPIPE);
    }
}

/// Writes what is formatted.
pub fn write(arguments: Arguments<'_>) {
    match arguments.as_str() {
        Some(literal) => text(literal),
        None => text(&arguments.to_string()),
    }
}
