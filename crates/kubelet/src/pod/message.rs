//! A container's last words: the file that it wrote, or the end of its log after a failure.

use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

use super::observed::Seen;
use crate::labels;
use crate::log::Line;

const FILE: u64 = 4096;
const LOG: u64 = 2048;
const LOG_LINES: usize = 80;

/// The termination message of a container that has ended.
#[must_use]
pub fn of(seen: &Seen) -> Option<String> {
    let written = labels::message_file(&seen.status).and_then(|path| head(Path::new(path)));
    if written.is_some() {
        return written;
    }
    if seen.status.exit_code != 0 && labels::falls_back_to_logs(&seen.status) {
        return tail(Path::new(&seen.status.log_path));
    }
    None
}

fn head(path: &Path) -> Option<String> {
    let mut bytes = Vec::new();
    std::fs::File::open(path).ok()?.take(FILE).read_to_end(&mut bytes).ok()?;
    let text = String::from_utf8_lossy(&bytes).into_owned();
    (!text.is_empty()).then_some(text)
}

/// The last lines of a log without their stamps.
fn tail(path: &Path) -> Option<String> {
    // Stamps take room too: more is read than is kept.
    const READ: u64 = 16 << 10;
    let mut file = std::fs::File::open(path).ok()?;
    let size = file.metadata().ok()?.len();
    file.seek(SeekFrom::Start(size.saturating_sub(READ))).ok()?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes).ok()?;
    let lines: Vec<Line<'_>> = bytes.split_inclusive(|b| *b == b'\n').filter_map(Line::parse).collect();
    let last = &lines[lines.len().saturating_sub(LOG_LINES)..];
    let mut text: Vec<u8> = last.iter().flat_map(|line| line.content().into_owned()).collect();
    let surplus = text.len().saturating_sub(usize::try_from(LOG).unwrap_or(usize::MAX));
    text.drain(..surplus);
    Some(String::from_utf8_lossy(&text).into_owned())
}
