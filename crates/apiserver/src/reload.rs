//! A configuration file that is read again when it changes, while the process runs.

use std::future::Future;
use std::path::PathBuf;
use std::time::Duration;

use nakhoda_daemon::Tasks;

/// How often the file is looked at.
const LOOK: Duration = Duration::from_secs(5);

/// A new text that was not taken; the old one stays in use.
#[derive(Debug)]
pub struct Kept {
    /// Why.
    pub why: String,
    /// Whether the same text may be taken later.
    pub again: bool,
}

/// Gives each new text of a file to `take`. `text` is what was taken already.
pub fn follow<F, T>(what: &'static str, path: PathBuf, mut text: Vec<u8>, tasks: &Tasks, mut take: F)
where
    F: FnMut(Vec<u8>) -> T + Send + 'static,
    T: Future<Output = Result<(), Kept>> + Send,
{
    tasks.spawn(what, async move {
        loop {
            tokio::time::sleep(LOOK).await;
            let now = match tokio::fs::read(&path).await {
                Ok(now) => now,
                Err(error) => {
                    tracing::error!(%error, file = %path.display(), "{what} cannot be read, the old one stays");
                    continue;
                }
            };
            if now == text {
                continue;
            }
            match take(now.clone()).await {
                Ok(()) => tracing::info!(file = %path.display(), "{what} reloaded"),
                Err(Kept { why, again }) => {
                    tracing::error!(error = why, file = %path.display(), "{what} makes no sense, the old one stays");
                    if again {
                        continue;
                    }
                }
            }
            text = now;
        }
    });
}
