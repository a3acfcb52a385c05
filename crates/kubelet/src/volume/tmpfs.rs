//! Volumes in memory: secrets, tokens, and `medium: Memory`.

use std::ffi::CString;
use std::path::{Path, PathBuf};

use rustix::mount::{MountFlags, UnmountFlags, mount, unmount};

use super::{Error, io};

/// Mounts a tmpfs at a directory unless one is there; `size` in bytes.
pub fn ensure(dir: &Path, size: Option<i64>) -> Result<(), Error> {
    std::fs::create_dir_all(dir).map_err(io("create", dir))?;
    if mounted_below(dir)?.iter().any(|mount| mount == dir) {
        return Ok(());
    }
    let options = size.filter(|s| *s > 0).map(|size| format!("size={size}")).unwrap_or_default();
    let options = CString::new(options).expect("digits hold no NUL");
    mount("tmpfs", dir, "tmpfs", MountFlags::empty(), options.as_c_str()).map_err(|e| io("mount", dir)(e.into()))
}

/// Unmounts whatever is mounted at or below a path, innermost first.
pub fn unmount_below(base: &Path) -> Result<(), Error> {
    let mut mounts = mounted_below(base)?;
    mounts.sort_by_key(|mount| std::cmp::Reverse(mount.components().count()));
    for path in mounts {
        unmount(&path, UnmountFlags::empty()).map_err(|e| io("unmount", &path)(e.into()))?;
    }
    Ok(())
}

fn mounted_below(base: &Path) -> Result<Vec<PathBuf>, Error> {
    let table = Path::new("/proc/self/mountinfo");
    let text = std::fs::read_to_string(table).map_err(io("read", table))?;
    let paths = text.lines().filter_map(|line| line.split(' ').nth(4)).map(unescape);
    Ok(paths.filter(|path| path.starts_with(base)).collect())
}

/// The kernel writes blanks in octal.
fn unescape(text: &str) -> PathBuf {
    text.replace("\\040", " ").replace("\\011", "\t").replace("\\012", "\n").replace("\\134", "\\").into()
}
