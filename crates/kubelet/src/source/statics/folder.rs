//! Changes of a folder, as the kernel tells them; a look now and then makes up for what it cannot tell.

use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::time::Duration;

use rustix::fs::inotify::{self, CreateFlags, WatchFlags};
use tokio::io::unix::AsyncFd;

/// As upstream.
const LOOK: Duration = Duration::from_secs(20);
/// What follows so soon belongs to the same change.
const QUIET: Duration = Duration::from_millis(20);

/// Tells when a folder's files may have changed.
pub(super) struct Changes {
    told: Option<AsyncFd<OwnedFd>>,
}

// === impl Changes ===

impl Changes {
    /// Of a folder's own files.
    pub(super) fn of(folder: &Path) -> Self {
        let told = watch(folder)
            .inspect_err(|error| tracing::warn!(%error, folder = %folder.display(), "changes are seen late"));
        Self { told: told.ok() }
    }

    /// Waits for the next one.
    pub(super) async fn next(&mut self) {
        let Some(told) = &self.told else { return tokio::time::sleep(LOOK).await };
        if let Ok(Ok(mut ready)) = tokio::time::timeout(LOOK, told.readable()).await {
            tokio::time::sleep(QUIET).await;
            let mut events = [0; 4096];
            while let Ok(Ok(1..)) = ready.try_io(|fd| Ok(rustix::io::read(fd, &mut events)?)) {}
        }
    }
}

#[expect(deprecated, reason = "what replaces it is unsafe; an OwnedFd stays open for as long as it is registered")]
fn watch(folder: &Path) -> io::Result<AsyncFd<OwnedFd>> {
    let descriptor = inotify::init(CreateFlags::NONBLOCK | CreateFlags::CLOEXEC)?;
    let changes = WatchFlags::CLOSE_WRITE | WatchFlags::MOVED_TO | WatchFlags::MOVED_FROM | WatchFlags::DELETE;
    inotify::add_watch(&descriptor, folder, changes)?;
    AsyncFd::new(descriptor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_written_file_is_told() {
        let folder = std::env::temp_dir().join(format!("changes-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("made");
        let mut changes = Changes::of(&folder);
        std::fs::write(folder.join("a"), "a").expect("written");
        tokio::time::timeout(LOOK / 2, changes.next()).await.expect("told");
        std::fs::remove_dir_all(folder).expect("removed");
    }
}
