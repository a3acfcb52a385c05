//! Ownership for pods with an `fsGroup`: files belong to the group, the group may do what the owner
//! may, and what is made later inherits it (setgid).

use std::os::unix::fs::{PermissionsExt, lchown};
use std::path::Path;

use super::{Error, io};

/// Gives a writable volume to the group.
pub fn give(dir: &Path, group: u32) -> Result<(), Error> {
    each(dir, group, 0o660)
}

/// Gives a payload, which nobody may write, to the group.
pub fn give_payload(dir: &Path, group: u32) -> Result<(), Error> {
    each(dir, group, 0o440)
}

fn each(path: &Path, group: u32, bits: u32) -> Result<(), Error> {
    let meta = std::fs::symlink_metadata(path).map_err(io("stat", path))?;
    lchown(path, None, Some(group)).map_err(io("chown", path))?;
    if meta.is_symlink() {
        return Ok(());
    }
    let extra = if meta.is_dir() { bits | 0o2110 } else { bits };
    let mode = meta.permissions().mode() & 0o7777 | extra;
    std::fs::set_permissions(path, PermissionsExt::from_mode(mode)).map_err(io("chmod", path))?;
    if meta.is_dir() {
        for entry in std::fs::read_dir(path).map_err(io("list", path))? {
            each(&entry.map_err(io("list", path))?.path(), group, bits)?;
        }
    }
    Ok(())
}
