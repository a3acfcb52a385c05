//! This terminal: raw mode, and its size.

use std::io::IsTerminal;

use rustix::termios::{self, OptionalActions, Termios};

use crate::Error;

/// A terminal in raw mode; dropping it puts back what was.
#[derive(Debug)]
pub struct Raw {
    before: Termios,
}

// === impl Raw ===

impl Raw {
    /// Puts standard input into raw mode; `None` if it is no terminal.
    pub fn enter() -> Result<Option<Self>, Error> {
        let stdin = std::io::stdin();
        if !stdin.is_terminal() {
            eprintln!("Unable to use a TTY - input is not a terminal or the right kind of file");
            return Ok(None);
        }
        let failed =
            |error: rustix::io::Errno| Error::Local { what: "cannot set up the terminal".into(), source: error.into() };
        let before = termios::tcgetattr(&stdin).map_err(failed)?;
        let mut raw = before.clone();
        raw.make_raw();
        termios::tcsetattr(&stdin, OptionalActions::Now, &raw).map_err(failed)?;
        Ok(Some(Self { before }))
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        // a terminal that is gone needs no putting back
        termios::tcsetattr(std::io::stdin(), OptionalActions::Now, &self.before).unwrap_or_default();
    }
}

/// Columns and rows.
#[must_use]
pub fn size() -> Option<(u16, u16)> {
    let size = termios::tcgetwinsize(std::io::stdout()).ok()?;
    Some((size.ws_col, size.ws_row))
}
