//! Events as lines of JSON in a file, which is put aside when it is full.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use parking_lot::Mutex;

use super::{Event, Sink};

/// How long files that were put aside are kept.
#[derive(Clone, Copy, Debug, Default)]
pub struct Rotation {
    /// A file with so many megabytes is put aside.
    pub megabytes: u64,
    /// So many of them are kept; all if 0.
    pub files: usize,
    /// They are kept for so many days; for ever if 0.
    pub days: u64,
}

/// The file, or standard output.
pub struct Log {
    place: Mutex<Place>,
}

enum Place {
    Output,
    File { path: PathBuf, file: File, length: u64, rotation: Rotation },
}

// === impl Log ===

impl Log {
    /// Writes behind what is there; `-` is standard output.
    pub fn open(path: &Path, rotation: Rotation) -> io::Result<Self> {
        if path == Path::new("-") {
            return Ok(Self { place: Mutex::new(Place::Output) });
        }
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            std::fs::create_dir_all(folder)?;
        }
        let file = append(path)?;
        let length = file.metadata()?.len();
        Ok(Self { place: Mutex::new(Place::File { path: path.into(), file, length, rotation }) })
    }

    fn write(&self, line: &[u8]) -> io::Result<()> {
        match &mut *self.place.lock() {
            Place::Output => io::stdout().lock().write_all(line),
            Place::File { path, file, length, rotation } => {
                let full = rotation.megabytes.saturating_mul(1 << 20);
                if *length > 0 && *length + line.len() as u64 > full {
                    std::fs::rename(&*path, aside(path, Timestamp::now()))?;
                    (*file, *length) = (append(path)?, 0);
                    clear(path, *rotation, SystemTime::now())?;
                }
                *length += line.len() as u64;
                file.write_all(line)
            }
        }
    }
}

impl Sink for Log {
    fn take(&self, event: &Event) {
        let line = serde_json::to_vec(event).map_err(io::Error::from).map(|mut line| {
            line.push(b'\n');
            line
        });
        if let Err(error) = line.and_then(|line| self.write(&line)) {
            tracing::error!(%error, id = event.audit_id, "an audit event was not written");
        }
    }
}

/// Only its owner reads it.
fn append(path: &Path) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt;
    OpenOptions::new().create(true).append(true).mode(0o600).open(path)
}

/// `NAME-TIME.EXT`, as upstream's library names files.
fn aside(path: &Path, now: Timestamp) -> PathBuf {
    let (stem, extension) = name(path);
    path.with_file_name(format!("{stem}-{}{extension}", now.strftime("%Y-%m-%dT%H-%M-%S%.3f")))
}

fn name(path: &Path) -> (String, String) {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    (stem, path.extension().map(|extension| format!(".{}", extension.to_string_lossy())).unwrap_or_default())
}

/// Removes the files put aside that are too many or too old.
fn clear(path: &Path, rotation: Rotation, now: SystemTime) -> io::Result<()> {
    let (stem, extension) = name(path);
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut old: Vec<_> = std::fs::read_dir(folder)?
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .filter(|file| {
            let name = file.file_name().unwrap_or_default().to_string_lossy();
            let time = name.strip_prefix(&stem).and_then(|rest| rest.strip_suffix(&*extension));
            time.is_some_and(|time| time.len() == "-2006-01-02T15-04-05.000".len() && time.starts_with('-'))
        })
        .collect();
    // the names are in the order of time
    old.sort_unstable_by(|a, b| b.cmp(a));
    let oldest = now.checked_sub(Duration::from_secs(rotation.days * 86_400)).filter(|_| rotation.days > 0);
    for (number, file) in old.iter().enumerate() {
        let aged = oldest.is_some_and(|oldest| file.metadata().and_then(|m| m.modified()).is_ok_and(|at| at < oldest));
        if aged || (rotation.files > 0 && number >= rotation.files) {
            std::fs::remove_file(file)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::Level;

    #[test]
    fn a_full_file_is_put_aside_and_the_oldest_go() {
        let folder = std::env::temp_dir().join(format!("nakhoda-audit-{}", std::process::id()));
        let path = folder.join("audit.log");
        let log = Log::open(&path, Rotation { megabytes: 1, files: 2, days: 1 }).expect("open");
        let line = vec![b'x'; 600 << 10];
        for _ in 0..5 {
            log.write(&line).expect("written");
            std::thread::sleep(Duration::from_millis(2));
        }
        let files = || std::fs::read_dir(&folder).expect("a folder").count();
        assert_eq!(files(), 3, "the file and two put aside");
        log.take(&Event::new(Level::Metadata, "2024-01-02T03:04:05.000006Z".into()));
        let text = std::fs::read(&path).expect("there");
        assert!(text.ends_with(b"\"stageTimestamp\":\"2024-01-02T03:04:05.000006Z\"}\n"));
        clear(&path, Rotation { days: 1, ..Rotation::default() }, SystemTime::now() + Duration::from_secs(90_000))
            .expect("cleared");
        assert_eq!(files(), 1, "the day is over");
        std::fs::remove_dir_all(folder).expect("removed");
    }
}
