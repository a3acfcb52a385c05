//! `downwardAPI`: fields of the pod as files, refreshed when they change.

use futures::future::{BoxFuture, FutureExt};
use k8s_openapi::api::core::v1::DownwardAPIVolumeFile;

use super::atomic::{self, File, Payload};
use super::{Error, Plugin, Setup, fs_group, tmpfs};
use crate::downward;

pub(super) const PLUGIN: Plugin =
    Plugin { name: "kubernetes.io/downward-api", owns: |volume| volume.downward_api.is_some(), set_up };

fn set_up<'a>(setup: &'a Setup<'a>) -> BoxFuture<'a, Result<std::path::PathBuf, Error>> {
    async move {
        let source = setup.volume.downward_api.clone().unwrap_or_default();
        let payload = payload(setup, source.items.as_deref(), source.default_mode.unwrap_or(0o644))?;
        tmpfs::ensure(&setup.dir, None)?;
        atomic::write(&setup.dir, &payload, fs_group(setup.pod))?;
        Ok(setup.dir.clone())
    }
    .boxed()
}

/// The files that the pod's fields give.
pub(super) fn payload(setup: &Setup<'_>, items: Option<&[DownwardAPIVolumeFile]>, mode: i32) -> Result<Payload, Error> {
    let mut payload = Payload::new();
    for item in items.unwrap_or_default() {
        let text = match (&item.field_ref, &item.resource_field_ref) {
            (Some(field), _) => downward::field(setup.pod, &field.field_path, setup.facts)?,
            (None, Some(resource)) => downward::resource(setup.pod, None, resource, setup.facts)?,
            (None, None) => String::new(),
        };
        let mode = item.mode.unwrap_or(mode).cast_unsigned();
        payload.insert(item.path.clone(), File { bytes: text.into_bytes(), mode, user: None });
    }
    Ok(payload)
}
