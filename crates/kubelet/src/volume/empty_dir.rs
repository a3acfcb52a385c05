//! `emptyDir`: a directory that lives as long as the pod; in memory if asked.

use std::os::unix::fs::PermissionsExt;

use futures::future::{BoxFuture, FutureExt};

use super::{Error, Plugin, Setup, fs_group, io, owner, tmpfs};
use crate::resources::whole;

pub(super) const PLUGIN: Plugin =
    Plugin { name: "kubernetes.io/empty-dir", owns: |volume| volume.empty_dir.is_some(), set_up };

fn set_up<'a>(setup: &'a Setup<'a>) -> BoxFuture<'a, Result<std::path::PathBuf, Error>> {
    async move {
        let source = setup.volume.empty_dir.clone().unwrap_or_default();
        let fresh = !setup.dir.exists();
        if source.medium.as_deref() == Some("Memory") {
            tmpfs::ensure(&setup.dir, source.size_limit.as_ref().map(whole))?;
        } else {
            std::fs::create_dir_all(&setup.dir).map_err(io("create", &setup.dir))?;
        }
        if fresh {
            std::fs::set_permissions(&setup.dir, PermissionsExt::from_mode(0o777)).map_err(io("chmod", &setup.dir))?;
            if let Some(group) = fs_group(setup.pod) {
                owner::give(&setup.dir, group)?;
            }
        }
        Ok(setup.dir.clone())
    }
    .boxed()
}
