//! The highest revision that this server has given out, in a file: an etcd that was restored from a backup and not
//! raised is found out also by a process that was not there before.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;
use nakhoda_daemon::Tasks;
use nakhoda_store::cache::Caches;

/// How often it is written: what was given out since then is not known after a crash.
const WRITE: Duration = Duration::from_secs(1);

/// What the file says; 0 if there is none.
pub(super) fn highest(path: Option<&Path>) -> anyhow::Result<u64> {
    let Some(path) = path else { return Ok(0) };
    let text = match std::fs::read_to_string(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(0),
        text => text.with_context(|| format!("--revision-file {}", path.display()))?,
    };
    text.trim().parse().with_context(|| format!("--revision-file {} holds no revision", path.display()))
}

/// Keeps the file current.
pub(super) fn keep(tasks: &Tasks, caches: &Caches, path: PathBuf) {
    let caches = caches.clone();
    tasks.spawn("revision file", async move {
        let mut written = 0;
        loop {
            tokio::time::sleep(WRITE).await;
            let reached = caches.progress();
            if reached <= written {
                continue;
            }
            match write(&path, reached) {
                Ok(()) => written = reached,
                Err(error) => tracing::warn!(file = %path.display(), %error, "the highest revision is not kept"),
            }
        }
    });
}

/// Whole or not at all.
fn write(path: &Path, revision: u64) -> std::io::Result<()> {
    let fresh = path.with_extension("new");
    std::fs::write(&fresh, format!("{revision}\n"))?;
    std::fs::rename(fresh, path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_revision_is_read_as_it_was_written_and_nonsense_is_refused() {
        let path = std::env::temp_dir().join(format!("nakhoda-revision-{}", std::process::id()));
        assert_eq!(highest(None).expect("none is kept"), 0);
        assert_eq!(highest(Some(&path)).expect("none was kept"), 0);
        write(&path, 4711).expect("written");
        assert_eq!(highest(Some(&path)).expect("kept"), 4711);
        std::fs::write(&path, "high").expect("written");
        assert!(highest(Some(&path)).is_err_and(|error| error.to_string().contains("holds no revision")));
        std::fs::remove_file(path).expect("removed");
    }
}
