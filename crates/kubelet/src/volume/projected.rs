//! `projected`: several sources in one directory, service account tokens among them.

use futures::future::{BoxFuture, FutureExt};
use k8s_openapi::api::core::v1::{Pod, ServiceAccountTokenProjection, VolumeProjection};

use super::atomic::{self, File, Payload};
use super::{Error, Plugin, Setup, config_map, downward_api, fs_group, secret, tmpfs};
use crate::pod::spec;
use crate::source::TokenWish;

pub(super) const PLUGIN: Plugin =
    Plugin { name: "kubernetes.io/projected", owns: |volume| volume.projected.is_some(), set_up };

fn set_up<'a>(setup: &'a Setup<'a>) -> BoxFuture<'a, Result<std::path::PathBuf, Error>> {
    async move {
        let source = setup.volume.projected.clone().unwrap_or_default();
        let mode = source.default_mode.unwrap_or(0o644);
        let mut payload = Payload::new();
        for projection in source.sources.iter().flatten() {
            payload.extend(one(setup, projection, mode).await?);
        }
        tmpfs::ensure(&setup.dir, None)?;
        atomic::write(&setup.dir, &payload, fs_group(setup.pod))?;
        Ok(setup.dir.clone())
    }
    .boxed()
}

async fn one(setup: &Setup<'_>, projection: &VolumeProjection, mode: i32) -> Result<Payload, Error> {
    if let Some(source) = &projection.config_map {
        return config_map::payload(setup, &source.name, source.items.as_deref(), mode, source.optional == Some(true)).await;
    }
    if let Some(source) = &projection.secret {
        return secret::payload(setup, &source.name, source.items.as_deref(), mode, source.optional == Some(true)).await;
    }
    if let Some(source) = &projection.downward_api {
        return downward_api::payload(setup, source.items.as_deref(), mode);
    }
    if let Some(source) = &projection.service_account_token {
        return token(setup, source, mode).await;
    }
    Err(Error::Unsupported(setup.volume.name.clone()))
}

async fn token(setup: &Setup<'_>, source: &ServiceAccountTokenProjection, mode: i32) -> Result<Payload, Error> {
    let account = spec::of(setup.pod).service_account_name.clone().unwrap_or_else(|| "default".into());
    let wish = TokenWish {
        account,
        audience: source.audience.clone().unwrap_or_default(),
        seconds: source.expiration_seconds.unwrap_or(3600),
    };
    let status = setup.cluster.token(setup.pod, &wish).await?;
    let user = one_user(setup.pod);
    // A token is for its pod's user alone: readable by the group only where there is one.
    let mode = match (fs_group(setup.pod), user) {
        (Some(_), _) => 0o600,
        (None, Some(_)) => 0o600,
        (None, None) => mode.cast_unsigned(),
    };
    Ok(Payload::from([(source.path.clone(), File { bytes: status.token.unwrap_or_default().into_bytes(), mode, user })]))
}

/// The user that all containers run as, if they agree on one.
fn one_user(pod: &Pod) -> Option<u32> {
    let spec = spec::of(pod);
    let general = spec.security_context.as_ref().and_then(|c| c.run_as_user);
    let mut users = spec::containers(spec).map(|(_, c)| c.security_context.as_ref().and_then(|s| s.run_as_user).or(general));
    let first = users.next()??;
    users.all(|user| user == Some(first)).then(|| u32::try_from(first).ok()).flatten()
}
