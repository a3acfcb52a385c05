//! A path inside a volume, as a mount of its own while the pod lives. A container of the pod may change what a path
//! of the volume means at any moment, between two looks of the kubelet and until the runtime mounts it. So the kernel
//! resolves the path without leaving the volume, what it found is bound to a place that only the node's root writes,
//! and the runtime is given that place.
//!
//! The places lie outside the pod's directory: what removes a pod never walks through them into a volume.

use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::{Component, Path, PathBuf};

use rustix::fs::{FileType, Mode, OFlags, ResolveFlags, fchmod, fstat, mkdirat, open, openat, openat2};
use rustix::io::Errno;
use rustix::mount::{UnmountFlags, mount_bind_recursive, unmount};

/// So many times a path is resolved again that was renamed meanwhile.
const ATTEMPTS: usize = 64;
const PATH: OFlags = OFlags::PATH.union(OFlags::CLOEXEC);

/// Opens a path inside a volume. What is not there is made, with the permissions that the volume has: whoever may
/// write there may write here.
pub(super) fn resolve(volume: &Path, sub: &str) -> Result<OwnedFd, String> {
    let parts: Vec<Component<'_>> = Path::new(sub).components().filter(|part| *part != Component::CurDir).collect();
    if !parts.iter().all(|part| matches!(part, Component::Normal(_))) {
        return Err(format!("subPath {sub:?} must be a relative path without '..'"));
    }
    let told = |errno: Errno| match errno {
        Errno::XDEV | Errno::LOOP => format!("subPath {sub:?} leads out of the volume"),
        other => io::Error::from(other).to_string(),
    };
    let root = open(volume, PATH, Mode::empty()).map_err(told)?;
    let mode = Mode::from_raw_mode(fstat(&root).map_err(told)?.st_mode & 0o7777);
    let (mut walked, mut parent) = (PathBuf::new(), None);
    for part in parts {
        walked.push(part);
        let found = match beneath(&root, &walked) {
            Err(Errno::NOENT) => {
                make(parent.as_ref().unwrap_or(&root), part.as_os_str().as_ref(), mode).map_err(told)?;
                beneath(&root, &walked)
            }
            found => found,
        };
        parent = Some(found.map_err(told)?);
    }
    Ok(parent.unwrap_or(root))
}

/// Binds what was opened to a place.
pub(super) fn bind(found: &OwnedFd, place: &Path) -> io::Result<()> {
    release(place)?;
    if let Some(folder) = place.parent() {
        std::fs::create_dir_all(folder)?;
    }
    if FileType::from_raw_mode(fstat(found)?.st_mode) == FileType::Directory {
        std::fs::create_dir(place)?;
    } else {
        std::fs::File::create_new(place)?;
    }
    Ok(mount_bind_recursive(format!("/proc/self/fd/{}", found.as_raw_fd()), place)?)
}

/// Unmounts a place, or all places below a folder, and removes what they were bound to: never anything else.
pub(super) fn release(place: &Path) -> io::Result<()> {
    let kind = match std::fs::symlink_metadata(place) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        found => found?.file_type(),
    };
    // whoever has it mounted keeps it; a place that is bound several times is bound to the same each time
    loop {
        match unmount(place, UnmountFlags::DETACH) {
            Ok(()) => {}
            Err(Errno::INVAL) => break,
            Err(errno) => return Err(errno.into()),
        }
    }
    if kind.is_dir() {
        for entry in std::fs::read_dir(place)? {
            release(&entry?.path())?;
        }
        std::fs::remove_dir(place)
    } else {
        std::fs::remove_file(place)
    }
}

fn beneath(root: &OwnedFd, path: &Path) -> rustix::io::Result<OwnedFd> {
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS;
    for _ in 1..ATTEMPTS {
        match openat2(root, path, PATH, Mode::empty(), resolve) {
            Err(Errno::AGAIN) => {}
            found => return found,
        }
    }
    openat2(root, path, PATH, Mode::empty(), resolve)
}

fn make(parent: &OwnedFd, name: &Path, mode: Mode) -> rustix::io::Result<()> {
    mkdirat(parent, name, mode)?;
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    fchmod(openat(parent, name, flags, Mode::empty())?, mode)
}

#[cfg(test)]
mod tests;
