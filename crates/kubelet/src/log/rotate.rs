//! Rotation: a log that grew over 10 MiB is moved aside and the runtime opens a fresh one; five files in
//! all are kept of each container. Absent: compression of old files.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::cri::{Cri, v1};

/// A file may grow to this.
const SIZE: u64 = 10 << 20;
/// This many files of one container are kept, the current one among them.
const FILES: usize = 5;
/// How often sizes are looked at.
const LOOK: Duration = Duration::from_secs(10);

/// Rotates for ever.
pub async fn run(cri: Cri) {
    loop {
        tokio::time::sleep(LOOK).await;
        if let Err(error) = all(&cri).await {
            tracing::debug!(%error, "logs not looked at");
        }
    }
}

async fn all(cri: &Cri) -> Result<(), crate::cri::Error> {
    for container in cri.containers(Default::default()).await? {
        if container.state() != v1::ContainerState::ContainerRunning {
            continue;
        }
        let Some(status) = cri.container_status(&container.id).await? else { continue };
        let path = PathBuf::from(&status.log_path);
        if std::fs::metadata(&path).is_ok_and(|meta| meta.len() > SIZE) {
            one(cri, &container.id, &path).await;
        }
    }
    Ok(())
}

async fn one(cri: &Cri, id: &str, path: &Path) {
    let stamp = jiff::Timestamp::now().strftime("%Y%m%d-%H%M%S");
    let aside = PathBuf::from(format!("{}.{stamp}", path.display()));
    if let Err(error) = std::fs::rename(path, &aside) {
        tracing::warn!(%error, log = %path.display(), "log not rotated");
        return;
    }
    if let Err(error) = cri.reopen_log(id).await {
        tracing::warn!(%error, log = %path.display(), "log not reopened; the old one goes on");
        if let Err(error) = std::fs::rename(&aside, path) {
            tracing::warn!(%error, log = %aside.display(), "log stays aside");
        }
        return;
    }
    let mut old = aside_of(path);
    old.sort();
    for path in old.iter().rev().skip(FILES - 1) {
        if let Err(error) = std::fs::remove_file(path) {
            tracing::warn!(%error, log = %path.display(), "old log stays");
        }
    }
}

/// The rotated files of a log, in no order.
#[must_use]
pub fn aside_of(path: &Path) -> Vec<PathBuf> {
    let prefix = path.file_name().map(|name| format!("{}.", name.to_string_lossy())).unwrap_or_default();
    let Some(Ok(entries)) = path.parent().map(std::fs::read_dir) else { return Vec::new() };
    entries.flatten().filter(|e| e.file_name().to_string_lossy().starts_with(&prefix)).map(|e| e.path()).collect()
}
