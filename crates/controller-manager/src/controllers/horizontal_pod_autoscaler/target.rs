//! What an autoscaler scales: any kind, built-in or custom, that has the subresource `scale`.

use nakhoda_api::kinds::autoscaling::HorizontalPodAutoscaler;
use nakhoda_api::kinds::autoscaling_v1::Scale;
use nakhoda_client::{Client, DynamicApi, Error, Resource};

use crate::served::Served;

/// Why the scale of a target cannot be told.
#[derive(Debug, thiserror::Error)]
pub enum Unknown {
    /// The API server does not serve the kind.
    #[error("no matches for kind {kind:?} in group {group:?}")]
    NoKind {
        /// Of the target.
        kind: String,
        /// Of the target.
        group: String,
    },
    /// The reference cannot be read.
    #[error("unexpected GroupVersion string: {0}")]
    Version(String),
    /// A request failed.
    #[error(transparent)]
    Api(#[from] Error),
}

/// A target and its scale.
pub struct Target {
    /// The way to its kind.
    pub api: DynamicApi,
    /// The scale as it was read.
    pub scale: Scale,
}

// === impl Target ===

impl Target {
    /// Finds what an autoscaler names, in whichever version of its group it is served.
    pub async fn find(client: &Client, hpa: &HorizontalPodAutoscaler) -> Result<Self, Unknown> {
        let reference = &hpa.spec.scale_target_ref;
        let group = group(reference.api_version.as_deref().unwrap_or_default())?;
        let served = Served::all(&client.discover().await?);
        let found = served.into_iter().find(|served| served.kind == reference.kind && served.gvr.group == group);
        let missing = || Unknown::NoKind { kind: reference.kind.clone(), group: group.into() };
        let api = client.dynamic(&found.ok_or_else(missing)?.gvr, Some(hpa.namespace()));
        let scale = api.get_sub(&reference.name, "scale").await?;
        Ok(Self { api, scale })
    }

    /// How many replicas are asked for.
    #[must_use]
    pub fn replicas(&self) -> i32 {
        self.scale.spec.as_ref().and_then(|spec| spec.replicas).unwrap_or_default()
    }

    /// How many there are.
    #[must_use]
    pub fn observed(&self) -> i32 {
        self.scale.status.as_ref().map_or(0, |status| status.replicas)
    }

    /// Which pods are its own.
    #[must_use]
    pub fn selector(&self) -> &str {
        self.scale.status.as_ref().and_then(|status| status.selector.as_deref()).unwrap_or_default()
    }

    /// Asks for another number; a scale that has changed meanwhile is read again.
    pub async fn resize(&mut self, replicas: i32) -> Result<(), Error> {
        let name = self.scale.metadata.name.clone().unwrap_or_default();
        for _ in 0..5 {
            self.scale.spec.get_or_insert_default().replicas = Some(replicas);
            match self.api.update_sub::<_, Scale>(&name, "scale", &self.scale).await {
                Err(error) if error.is_conflict() => self.scale = self.api.get_sub(&name, "scale").await?,
                answer => return answer.map(drop),
            }
        }
        self.api.update_sub::<_, Scale>(&name, "scale", &self.scale).await.map(drop)
    }
}

/// The group of a version.
fn group(version: &str) -> Result<&str, Unknown> {
    match version.split('/').collect::<Vec<_>>()[..] {
        [_] => Ok(""),
        [group, _] => Ok(group),
        _ => Err(Unknown::Version(version.into())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_group_is_what_stands_before_the_version() {
        for (version, wanted) in [("apps/v1", Some("apps")), ("v1", Some("")), ("", Some("")), ("a/b/c", None)] {
            assert_eq!(group(version).ok(), wanted, "{version}");
        }
    }
}
