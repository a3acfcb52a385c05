//! Payload directories whose content changes all at once: files lie in a timestamped directory, `..data`
//! points at it, and the visible names point through `..data`. Readers never see a mixture.

use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use super::{Error, io, owner};

/// One file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// Content.
    pub bytes: Vec<u8>,
    /// Permission bits.
    pub mode: u32,
    /// Owner, for tokens of a container with another user.
    pub user: Option<u32>,
}

/// Files by path inside the volume.
pub type Payload = BTreeMap<String, File>;

const DATA: &str = "..data";

/// Makes the directory hold exactly this.
pub fn write(dir: &Path, payload: &Payload, group: Option<u32>) -> Result<(), Error> {
    std::fs::create_dir_all(dir).map_err(io("create", dir))?;
    let old = std::fs::read_link(dir.join(DATA)).ok();
    if let Some(old) = &old
        && matches(&dir.join(old), payload)
    {
        return Ok(());
    }
    let stamp = jiff::Timestamp::now().strftime("..%Y_%m_%d_%H_%M_%S.%9f").to_string();
    let fresh = dir.join(&stamp);
    fill(&fresh, payload)?;
    std::fs::set_permissions(&fresh, PermissionsExt::from_mode(0o755)).map_err(io("chmod", &fresh))?;
    if let Some(group) = group {
        owner::give_payload(&fresh, group)?;
    }
    let pending = dir.join("..data_tmp");
    match std::fs::remove_file(&pending) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(io("remove", &pending)(error)),
        _ => {}
    }
    symlink(&stamp, &pending).map_err(io("link", &pending))?;
    std::fs::rename(&pending, dir.join(DATA)).map_err(io("rename", &pending))?;
    names(dir, payload)?;
    if let Some(old) = old {
        let old = dir.join(old);
        std::fs::remove_dir_all(&old).map_err(io("remove", &old))?;
    }
    Ok(())
}

/// The visible names are links through `..data`; those of files that went are removed.
fn names(dir: &Path, payload: &Payload) -> Result<(), Error> {
    let wanted: BTreeSet<&str> = payload.keys().filter_map(|path| path.split('/').next()).collect();
    for name in &wanted {
        let link = dir.join(name);
        if std::fs::symlink_metadata(&link).is_err() {
            symlink(Path::new(DATA).join(name), &link).map_err(io("link", &link))?;
        }
    }
    for entry in std::fs::read_dir(dir).map_err(io("list", dir))? {
        let entry = entry.map_err(io("list", dir))?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if !name.starts_with("..") && !wanted.contains(name.as_ref()) {
            std::fs::remove_file(entry.path()).map_err(io("remove", &entry.path()))?;
        }
    }
    Ok(())
}

fn fill(dir: &Path, payload: &Payload) -> Result<(), Error> {
    std::fs::create_dir(dir).map_err(io("create", dir))?;
    for (path, file) in payload {
        let path = dir.join(path);
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent).map_err(io("create", parent))?;
        }
        std::fs::write(&path, &file.bytes).map_err(io("write", &path))?;
        std::fs::set_permissions(&path, PermissionsExt::from_mode(file.mode)).map_err(io("chmod", &path))?;
        if file.user.is_some() {
            std::os::unix::fs::chown(&path, file.user, None).map_err(io("chown", &path))?;
        }
    }
    Ok(())
}

fn matches(dir: &Path, payload: &Payload) -> bool {
    let same = |(path, file): (&String, &File)| std::fs::read(dir.join(path)).is_ok_and(|bytes| bytes == file.bytes);
    payload.iter().all(same) && count(dir) == payload.len()
}

fn count(dir: &Path) -> usize {
    let Ok(entries) = std::fs::read_dir(dir) else { return 0 };
    entries.flatten().map(|e| if e.path().is_dir() { count(&e.path()) } else { 1 }).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_is_swapped_as_one_and_names_follow() {
        let dir = std::env::temp_dir().join(format!("atomic-{}", std::process::id()));
        let file = |text: &str| File { bytes: text.into(), mode: 0o644, user: None };
        write(&dir, &Payload::from([("a".into(), file("1")), ("d/b".into(), file("2"))]), None).expect("written");
        let first = std::fs::read_link(dir.join("..data")).expect("a link");
        assert_eq!(std::fs::read_to_string(dir.join("d/b")).expect("read"), "2");
        write(&dir, &Payload::from([("a".into(), file("1")), ("d/b".into(), file("2"))]), None).expect("unchanged");
        assert_eq!(std::fs::read_link(dir.join("..data")).expect("a link"), first);
        write(&dir, &Payload::from([("a".into(), file("3"))]), None).expect("changed");
        assert_eq!(std::fs::read_to_string(dir.join("a")).expect("read"), "3");
        assert!(!dir.join("d").exists() && !dir.join(first).exists());
        std::fs::remove_dir_all(dir).expect("removed");
    }
}
