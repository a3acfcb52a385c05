//! Reading logs: the last lines, since a time, following what is still written, across rotation.

use std::io::{BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;
use tokio::sync::mpsc;

use super::Line;

/// How often a followed file is looked at.
const LOOK: Duration = Duration::from_millis(100);
const BLOCK: u64 = 64 << 10;

/// What to read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wish {
    /// Only the last lines.
    pub tail: Option<usize>,
    /// Only what is not older.
    pub since: Option<Timestamp>,
    /// At most this many bytes.
    pub limit: Option<u64>,
    /// With each line's time.
    pub timestamps: bool,
    /// Only `stdout` or `stderr`.
    pub stream: Option<&'static str>,
    /// Goes on until the container ends.
    pub follow: bool,
}

/// Where the reading is.
struct Cursor {
    file: BufReader<std::fs::File>,
    path: PathBuf,
    line: Vec<u8>,
    begins: bool,
}

/// Sends a log in pieces until its end, or the reader's. `alive` says whether more may come.
pub async fn run(
    path: &Path,
    wish: &Wish,
    send: &mpsc::Sender<Bytes>,
    alive: impl Fn() -> bool + Send,
) -> std::io::Result<()> {
    let mut cursor = Cursor::open(path, wish.tail)?;
    let mut left = wish.limit.unwrap_or(u64::MAX);
    loop {
        let over = !wish.follow || !alive();
        while let Some(mut piece) = cursor.next(wish)? {
            piece.truncate(usize::try_from(left).unwrap_or(usize::MAX));
            left -= piece.len() as u64;
            if send.send(piece.into()).await.is_err() || left == 0 {
                return Ok(());
            }
        }
        if over {
            return Ok(());
        }
        tokio::select! {
            () = tokio::time::sleep(LOOK) => {}
            () = send.closed() => return Ok(()),
        }
        cursor.turn()?;
    }
}

// === impl Cursor ===

impl Cursor {
    fn open(path: &Path, tail: Option<usize>) -> std::io::Result<Self> {
        let mut file = std::fs::File::open(path)?;
        if let Some(lines) = tail {
            let start = start_of_tail(&mut file, lines)?;
            file.seek(SeekFrom::Start(start))?;
        }
        Ok(Self { file: BufReader::with_capacity(64 << 10, file), path: path.into(), line: Vec::new(), begins: true })
    }

    /// What is there and wanted, up to a few lines at once.
    fn next(&mut self, wish: &Wish) -> std::io::Result<Option<Vec<u8>>> {
        let mut out = Vec::new();
        while out.len() < 32 << 10 {
            self.file.read_until(b'\n', &mut self.line)?;
            if !self.line.ends_with(b"\n") {
                break;
            }
            if let Some(line) = Line::parse(&self.line)
                && wish.stream.is_none_or(|stream| stream == line.stream)
                && wish.since.is_none_or(|since| line.stamp.parse::<Timestamp>().is_ok_and(|at| at >= since))
            {
                if wish.timestamps && self.begins {
                    out.extend_from_slice(line.stamp.as_bytes());
                    out.push(b' ');
                }
                out.extend_from_slice(&line.content());
                self.begins = !line.partial;
            }
            self.line.clear();
        }
        Ok((!out.is_empty()).then_some(out))
    }

    /// Goes over to a fresh file once the log was rotated and the old one is read.
    fn turn(&mut self) -> std::io::Result<()> {
        use std::os::unix::fs::MetadataExt;
        let Ok(fresh) = std::fs::metadata(&self.path) else { return Ok(()) };
        if fresh.ino() == self.file.get_ref().metadata()?.ino() || !self.file.fill_buf()?.is_empty() {
            return Ok(());
        }
        *self = Self::open(&self.path, None)?;
        Ok(())
    }
}

/// Where the last `lines` whole lines begin. A line in several parts counts once.
fn start_of_tail(file: &mut std::fs::File, lines: usize) -> std::io::Result<u64> {
    let size = file.metadata()?.len();
    if lines == 0 {
        return Ok(size);
    }
    let (mut at, mut rest) = (size, Vec::new());
    loop {
        let from = at.saturating_sub(BLOCK);
        let mut block = vec![0; usize::try_from(at - from).unwrap_or_default()];
        file.seek(SeekFrom::Start(from))?;
        file.read_exact(&mut block)?;
        block.extend_from_slice(&rest);
        rest = block;
        at = from;
        if let Some(offset) = nth_from_end(&rest, lines, at == 0) {
            return Ok(at + offset as u64);
        }
        if at == 0 {
            return Ok(0);
        }
    }
}

fn nth_from_end(bytes: &[u8], lines: usize, whole: bool) -> Option<usize> {
    let mut starts: Vec<usize> = bytes.iter().enumerate().filter(|(_, b)| **b == b'\n').map(|(i, _)| i + 1).collect();
    starts.pop();
    if whole {
        starts.insert(0, 0);
    }
    // The line before decides whether this one goes on.
    let full = |start: usize| {
        let end = bytes[start..].iter().position(|b| *b == b'\n').map_or(bytes.len(), |i| start + i);
        Line::parse(&bytes[start..end]).is_none_or(|line| !line.partial)
    };
    let mut counted = 0;
    for (index, start) in starts.iter().enumerate().rev() {
        let before = index.checked_sub(1).map(|i| starts[i]);
        if before.is_none_or(&full) && (before.is_some() || whole) {
            counted += 1;
            if counted == lines {
                return Some(*start);
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn read(path: &Path, wish: Wish) -> String {
        let (send, mut receive) = mpsc::channel(100);
        run(path, &wish, &send, || false).await.expect("readable");
        drop(send);
        let mut text = Vec::new();
        while let Some(piece) = receive.recv().await {
            text.extend_from_slice(&piece);
        }
        String::from_utf8(text).expect("text")
    }

    #[tokio::test]
    async fn tail_since_stream_and_limit_choose_lines() {
        let path = std::env::temp_dir().join(format!("log-{}", std::process::id()));
        let log = "2026-01-01T00:00:01.5Z stdout F a\n2026-01-01T00:00:02Z stderr P b\n2026-01-01T00:00:02Z stderr F c\n2026-01-01T00:00:03Z stdout F d\n";
        std::fs::write(&path, log).expect("written");
        let all = Wish::default;
        assert_eq!(read(&path, all()).await, "a\nbc\nd\n");
        assert_eq!(read(&path, Wish { tail: Some(2), ..all() }).await, "bc\nd\n");
        assert_eq!(read(&path, Wish { tail: Some(0), ..all() }).await, "");
        assert_eq!(read(&path, Wish { tail: Some(9), ..all() }).await, "a\nbc\nd\n");
        assert_eq!(read(&path, Wish { limit: Some(3), ..all() }).await, "a\nb");
        assert_eq!(
            read(&path, Wish { stream: Some("stderr"), timestamps: true, ..all() }).await,
            "2026-01-01T00:00:02Z bc\n"
        );
        let since = "2026-01-01T00:00:02Z".parse().ok();
        assert_eq!(read(&path, Wish { since, ..all() }).await, "bc\nd\n");
        std::fs::remove_file(path).expect("removed");
    }
}
