//! `configMap`: the entries of a ConfigMap as files, refreshed when it changes.

use futures::future::{BoxFuture, FutureExt};
use k8s_openapi::api::core::v1::KeyToPath;

use super::atomic::{self, File, Payload};
use super::{Error, Plugin, Setup, fs_group};
use crate::pod::spec;
use crate::source::Error as ApiError;

pub(super) const PLUGIN: Plugin =
    Plugin { name: "kubernetes.io/configmap", owns: |volume| volume.config_map.is_some(), set_up };

fn set_up<'a>(setup: &'a Setup<'a>) -> BoxFuture<'a, Result<std::path::PathBuf, Error>> {
    async move {
        let source = setup.volume.config_map.clone().unwrap_or_default();
        let mode = source.default_mode.unwrap_or(0o644);
        let payload = payload(setup, &source.name, source.items.as_deref(), mode, source.optional == Some(true)).await?;
        atomic::write(&setup.dir, &payload, fs_group(setup.pod))?;
        Ok(setup.dir.clone())
    }
    .boxed()
}

/// The files that a ConfigMap gives.
pub(super) async fn payload(
    setup: &Setup<'_>,
    name: &str,
    items: Option<&[KeyToPath]>,
    mode: i32,
    optional: bool,
) -> Result<Payload, Error> {
    let map = match setup.cluster.config_map(spec::namespace(setup.pod), name).await {
        Ok(map) => map,
        Err(ApiError::NotFound(_)) if optional => return Ok(Payload::new()),
        Err(error) => return Err(error.into()),
    };
    let text = map.data.iter().flatten().map(|(k, v)| (k.clone(), v.clone().into_bytes()));
    let binary = map.binary_data.iter().flatten().map(|(k, v)| (k.clone(), v.0.clone()));
    select(text.chain(binary).collect(), items, mode, optional, "config")
}

/// All entries, or those that are chosen, under their paths.
pub(super) fn select(
    data: Vec<(String, Vec<u8>)>,
    items: Option<&[KeyToPath]>,
    mode: i32,
    optional: bool,
    kind: &'static str,
) -> Result<Payload, Error> {
    let file = |bytes, mode: i32| File { bytes, mode: mode.cast_unsigned(), user: None };
    let Some(items) = items.filter(|items| !items.is_empty()) else {
        return Ok(data.into_iter().map(|(key, bytes)| (key, file(bytes, mode))).collect());
    };
    let mut payload = Payload::new();
    for item in items {
        match data.iter().find(|(key, _)| *key == item.key) {
            Some((_, bytes)) => drop(payload.insert(item.path.clone(), file(bytes.clone(), item.mode.unwrap_or(mode)))),
            None if optional => {}
            None => return Err(Error::NoKey { kind, key: item.key.clone() }),
        }
    }
    Ok(payload)
}
