//! Unpacks layers into containerd's overlay snapshots, where its CRI plugin looks for them.

use containerd_client::services::v1::ApplyRequest;
use containerd_client::services::v1::diff_client::DiffClient;
use containerd_client::services::v1::snapshots::snapshots_client::SnapshotsClient;
use containerd_client::services::v1::snapshots::{
    CommitSnapshotRequest, PrepareSnapshotRequest, RemoveSnapshotRequest, StatSnapshotRequest,
};
use containerd_client::types::Descriptor;
use sha2::{Digest, Sha256};

use super::content::{Content, hex};
use crate::containerd::{Error, request};

/// The snapshotter of the CRI plugin.
pub const SNAPSHOTTER: &str = "overlayfs";

/// A layer could not be unpacked.
#[derive(Debug, thiserror::Error)]
pub enum UnpackError {
    /// containerd said no.
    #[error(transparent)]
    Containerd(#[from] Error),
    /// The layer's content is not what the image's configuration says.
    #[error("layer {index} is {got}, the image's configuration says {want}")]
    Differs {
        /// Which layer.
        index: usize,
        /// Digest of the unpacked layer.
        got: String,
        /// Digest it should have.
        want: String,
    },
}

/// The names of the snapshots of a stack of layers (OCI chain ids).
#[must_use]
pub fn chain(diff_ids: &[String]) -> Vec<String> {
    let mut chain: Vec<String> = Vec::with_capacity(diff_ids.len());
    for diff in diff_ids {
        let next = match chain.last() {
            None => diff.clone(),
            Some(parent) => format!("sha256:{}", hex(&Sha256::digest(format!("{parent} {diff}")))),
        };
        chain.push(next);
    }
    chain
}

/// Unpacks what is not unpacked yet; gives the name of the top snapshot.
pub async fn unpack(content: &Content, layers: &[Descriptor], diff_ids: &[String]) -> Result<String, UnpackError> {
    let mut parent = String::new();
    for (index, name) in chain(diff_ids).into_iter().enumerate() {
        if !exists(content, &name).await? {
            apply(content, index, &layers[index], &diff_ids[index], &parent, &name).await?;
        }
        parent = name;
    }
    Ok(parent)
}

async fn exists(content: &Content, name: &str) -> Result<bool, Error> {
    let stat = StatSnapshotRequest { snapshotter: SNAPSHOTTER.into(), key: name.into() };
    match SnapshotsClient::new(content.channel()).stat(content.leased(stat)).await {
        Ok(_) => Ok(true),
        Err(status) if status.code() == tonic::Code::NotFound => Ok(false),
        Err(status) => Err(Error::attempting(format!("look for snapshot {name}"))(status)),
    }
}

async fn apply(
    content: &Content,
    index: usize,
    layer: &Descriptor,
    want: &str,
    parent: &str,
    name: &str,
) -> Result<(), UnpackError> {
    let key = format!("nakhoda-{}-{name}", uuid::Uuid::new_v4());
    let outcome = fill(content, index, layer, want, parent, &key).await;
    let mut snapshots = SnapshotsClient::new(content.channel());
    if let Err(error) = outcome {
        let remove = RemoveSnapshotRequest { snapshotter: SNAPSHOTTER.into(), key };
        if let Err(status) = snapshots.remove(request(remove)).await {
            tracing::debug!(error = status.message(), "half a snapshot stays until its lease ends");
        }
        return Err(error);
    }
    let commit =
        CommitSnapshotRequest { snapshotter: SNAPSHOTTER.into(), name: name.into(), key, ..Default::default() };
    match snapshots.commit(content.leased(commit)).await {
        Ok(_) => Ok(()),
        Err(status) if status.code() == tonic::Code::AlreadyExists => Ok(()),
        Err(status) => Err(Error::attempting(format!("keep snapshot {name}"))(status).into()),
    }
}

async fn fill(
    content: &Content,
    index: usize,
    layer: &Descriptor,
    want: &str,
    parent: &str,
    key: &str,
) -> Result<(), UnpackError> {
    let prepare = PrepareSnapshotRequest {
        snapshotter: SNAPSHOTTER.into(),
        key: key.into(),
        parent: parent.into(),
        ..Default::default()
    };
    let attempt = Error::attempting(format!("prepare layer {index}"));
    let answer = SnapshotsClient::new(content.channel()).prepare(content.leased(prepare)).await.map_err(attempt)?;
    let apply = ApplyRequest { diff: Some(layer.clone()), mounts: answer.into_inner().mounts, ..Default::default() };
    let attempt = Error::attempting(format!("unpack layer {index}"));
    let answer = DiffClient::new(content.channel()).apply(content.leased(apply)).await.map_err(attempt)?;
    let got = answer.into_inner().applied.unwrap_or_default().digest;
    if got == want { Ok(()) } else { Err(UnpackError::Differs { index, got, want: want.into() }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lowest_snapshot_is_named_by_its_layer_alone() {
        let chain = chain(&["sha256:a".into(), "sha256:b".into()]);
        assert_eq!(chain[0], "sha256:a");
        assert_eq!(chain[1], format!("sha256:{}", hex(&Sha256::digest("sha256:a sha256:b"))));
    }
}
