//! `hostPath`: a path of the node itself, checked or made as its type says.

use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::path::{Path, PathBuf};

use futures::future::{BoxFuture, FutureExt};

use super::{Error, Plugin, Setup, io};

pub(super) const PLUGIN: Plugin =
    Plugin { name: "kubernetes.io/host-path", owns: |volume| volume.host_path.is_some(), set_up };

fn set_up<'a>(setup: &'a Setup<'a>) -> BoxFuture<'a, Result<PathBuf, Error>> {
    async move {
        let source = setup.volume.host_path.clone().unwrap_or_default();
        let path = PathBuf::from(source.path);
        check(&path, source.type_.as_deref().unwrap_or_default())?;
        Ok(path)
    }
    .boxed()
}

/// Whether a path is what it should be; it is made if the type says so.
pub(super) fn check(path: &Path, wanted: &str) -> Result<(), Error> {
    let meta = std::fs::metadata(path).ok();
    match (wanted, &meta) {
        ("DirectoryOrCreate", None) => {
            std::fs::create_dir_all(path).map_err(io("create", path))?;
            return std::fs::set_permissions(path, PermissionsExt::from_mode(0o755)).map_err(io("chmod", path));
        }
        ("FileOrCreate", None) => {
            std::fs::write(path, []).map_err(io("create", path))?;
            return std::fs::set_permissions(path, PermissionsExt::from_mode(0o644)).map_err(io("chmod", path));
        }
        _ => {}
    }
    let is = |test: fn(&std::fs::FileType) -> bool| meta.as_ref().is_some_and(|m| test(&m.file_type()));
    let (fits, wanted) = match wanted {
        "Directory" | "DirectoryOrCreate" => (is(std::fs::FileType::is_dir), "a directory"),
        "File" | "FileOrCreate" => (is(std::fs::FileType::is_file), "a file"),
        "Socket" => (is(FileTypeExt::is_socket), "a socket file"),
        "CharDevice" => (is(FileTypeExt::is_char_device), "a character device"),
        "BlockDevice" => (is(FileTypeExt::is_block_device), "a block device"),
        _ => (true, ""),
    };
    if fits { Ok(()) } else { Err(Error::HostPath { path: path.into(), wanted }) }
}
