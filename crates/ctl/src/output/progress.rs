//! A progress bar on a terminal; nothing elsewhere.

use std::io::{IsTerminal, Write};

/// How wide the bar is.
const WIDTH: u64 = 30;

/// How far several transfers are, on one line.
#[derive(Debug)]
pub struct Progress {
    label: String,
    done: Vec<u64>,
    totals: Vec<u64>,
    shown: bool,
}

// === impl Progress ===

impl Progress {
    /// Of so many transfers.
    #[must_use]
    pub fn new(label: &str, transfers: usize) -> Self {
        let shown = std::io::stderr().is_terminal();
        Self { label: label.into(), done: vec![0; transfers], totals: vec![0; transfers], shown }
    }

    /// A transfer's size is known.
    pub fn total(&mut self, transfer: usize, bytes: u64) {
        self.totals[transfer] = bytes;
        self.draw();
    }

    /// A transfer is this far.
    pub fn reached(&mut self, transfer: usize, bytes: u64) {
        self.done[transfer] = bytes;
        self.draw();
    }

    /// Takes the line away.
    pub fn clear(&mut self) {
        if self.shown {
            erase("\r\x1b[K");
            self.shown = false;
        }
    }

    fn draw(&self) {
        if self.shown {
            erase(&format!("\r{}\x1b[K", bar(&self.label, self.done.iter().sum(), self.totals.iter().sum())));
        }
    }
}

/// The line is an ornament: if it cannot be written, nothing is lost.
fn erase(text: &str) {
    let mut err = std::io::stderr().lock();
    drop(err.write_all(text.as_bytes()).and_then(|()| err.flush()));
}

fn bar(label: &str, done: u64, total: u64) -> String {
    let filled = (done * WIDTH).checked_div(total).unwrap_or(0).min(WIDTH);
    let (full, empty) = ("━".repeat(filled as usize), "─".repeat((WIDTH - filled) as usize));
    format!("{label} {full}{empty} {} / {}", size(done), size(total))
}

/// Bytes as people read them.
#[must_use]
pub fn size(bytes: u64) -> String {
    let mut value = bytes as f64;
    for unit in ["B", "kB", "MB", "GB"] {
        if value < 1000.0 {
            return if unit == "B" {
                format!("{bytes}B")
            } else {
                format!("{value:.3}").chars().take(4).collect::<String>().trim_end_matches('.').to_owned() + unit
            };
        }
        value /= 1000.0;
    }
    format!("{value:.1}TB")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_short() {
        let cases = [(0, "0B"), (999, "999B"), (1_234, "1.23kB"), (12_345_678, "12.3MB"), (123_456_789, "123MB")];
        for (bytes, text) in cases {
            assert_eq!(size(bytes), text);
        }
    }

    #[test]
    fn a_bar_fills() {
        assert_eq!(bar("x", 0, 0), format!("x {} 0B / 0B", "─".repeat(30)));
        assert!(bar("x", 2, 2).starts_with(&format!("x {} ", "━".repeat(30))));
    }
}
