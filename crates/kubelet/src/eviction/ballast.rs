//! A file that can be given up. On a disk that is full to the last byte the runtime cannot even note that a container has
//! ended, so whoever filled it could not be ended either.

use std::io;
use std::path::{Path, PathBuf};

use rustix::fs::FallocateFlags;

/// Enough for the notes of all pods.
const SIZE: u64 = 4 << 20;
/// Less than this is nothing.
const FULL: u64 = SIZE / 4;
/// It is laid down only where it does not matter.
const ROOM: u64 = 16 * SIZE;

/// The file, and whether the disk was full when it was looked at last.
pub(super) struct Ballast {
    path: PathBuf,
    was_full: bool,
}

// === impl Ballast ===

impl Ballast {
    /// In the kubelet's folder.
    pub(super) fn new(root: &Path) -> Self {
        Self { path: root.join("ballast"), was_full: false }
    }

    /// Lays it down, or gives it up if the disk has been full since the last look: who fills it was killed meanwhile.
    pub(super) fn keep(&mut self, free: i64) {
        let free = u64::try_from(free).unwrap_or(0);
        let is_full = free < FULL;
        let outcome = match self.path.exists() {
            true if is_full && self.was_full => {
                tracing::warn!(bytes = SIZE, "the disk is full; the ballast is given up");
                std::fs::remove_file(&self.path)
            }
            false if free > ROOM => self.lay(),
            _ => Ok(()),
        };
        self.was_full = is_full;
        if let Err(error) = outcome {
            tracing::warn!(%error, file = %self.path.display(), "ballast");
        }
    }

    fn lay(&self) -> io::Result<()> {
        let file = std::fs::File::create(&self.path)?;
        Ok(rustix::fs::fallocate(&file, FallocateFlags::empty(), 0, SIZE)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_given_up_when_the_disk_stays_full() {
        let folder = std::env::temp_dir().join(format!("ballast-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("made");
        let mut ballast = Ballast::new(&folder);
        let mut seen = Vec::new();
        for free in [1 << 30, 0, 0, 1 << 20, 1 << 30] {
            ballast.keep(free);
            seen.push(folder.join("ballast").exists());
        }
        assert_eq!(seen, [true, true, false, false, true]);
        std::fs::remove_dir_all(folder).expect("removed");
    }
}
