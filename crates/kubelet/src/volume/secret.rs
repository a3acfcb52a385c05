//! `secret`: the entries of a Secret as files in memory, refreshed when it changes.

use futures::future::{BoxFuture, FutureExt};
use k8s_openapi::api::core::v1::KeyToPath;

use super::atomic::{self, Payload};
use super::config_map::select;
use super::{Error, Plugin, Setup, fs_group, tmpfs};
use crate::pod::spec;
use crate::source::Error as ApiError;

pub(super) const PLUGIN: Plugin =
    Plugin { name: "kubernetes.io/secret", owns: |volume| volume.secret.is_some(), set_up };

fn set_up<'a>(setup: &'a Setup<'a>) -> BoxFuture<'a, Result<std::path::PathBuf, Error>> {
    async move {
        let source = setup.volume.secret.clone().unwrap_or_default();
        let name = source.secret_name.unwrap_or_default();
        let mode = source.default_mode.unwrap_or(0o644);
        let payload = payload(setup, &name, source.items.as_deref(), mode, source.optional == Some(true)).await?;
        tmpfs::ensure(&setup.dir, None)?;
        atomic::write(&setup.dir, &payload, fs_group(setup.pod))?;
        Ok(setup.dir.clone())
    }
    .boxed()
}

/// The files that a Secret gives.
pub(super) async fn payload(
    setup: &Setup<'_>,
    name: &str,
    items: Option<&[KeyToPath]>,
    mode: i32,
    optional: bool,
) -> Result<Payload, Error> {
    let secret = match setup.cluster.secret(spec::namespace(setup.pod), name).await {
        Ok(secret) => secret,
        Err(ApiError::NotFound(_)) if optional => return Ok(Payload::new()),
        Err(error) => return Err(error.into()),
    };
    let data = secret.data.iter().flatten().map(|(k, v)| (k.clone(), v.0.clone())).collect();
    select(data, items, mode, optional, "secret")
}
