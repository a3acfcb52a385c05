//! Images by hand: archives that stream in, lists, removals.

use bytes::Bytes;
use nakhoda_api::{GroupResource, Reason, Status, status};
use nakhoda_rpc::v1::{Chunk, Image, ImageProgress};
use tokio::sync::mpsc;
use tonic::Streaming;

use super::Server;
use crate::image::Images;
use crate::image::import::ChannelReader;
use crate::image::load::LoadError;

/// Progress is told after this many bytes.
const STEP: u64 = 1 << 20;

/// Progress to the caller.
pub(super) type Out = mpsc::Sender<Result<ImageProgress, tonic::Status>>;

// === impl Server ===

impl Server {
    /// The images of this node.
    #[must_use]
    pub fn images(&self) -> Images {
        Images::new(self.host.channel.clone())
    }

    /// Takes an archive to its end.
    pub(super) async fn load(&self, mut chunks: Streaming<Chunk>, out: Out) -> Result<(), Status> {
        let (send, receive) = mpsc::channel::<std::io::Result<Bytes>>(8);
        let images = self.images();
        let load = images.load(ChannelReader::new(receive));
        let progress = out.clone();
        let feed = async move {
            let (mut bytes, mut told) = (0_u64, 0_u64);
            loop {
                let piece = match chunks.message().await {
                    Ok(Some(chunk)) => Ok(chunk.data),
                    Ok(None) => return,
                    Err(status) => Err(std::io::Error::other(status.message().to_owned())),
                };
                let broken = piece.is_err();
                bytes += piece.as_ref().map_or(0, |data| data.len() as u64);
                if send.send(piece).await.is_err() || broken {
                    return;
                }
                if bytes - told >= STEP {
                    told = bytes;
                    if progress.send(Ok(ImageProgress { bytes, loaded: Vec::new() })).await.is_err() {
                        return;
                    }
                }
            }
        };
        let (loaded, ()) = tokio::join!(load, feed);
        let loaded = loaded.map_err(|error| refused(&error))?;
        tracing::info!(images = ?loaded, "loaded");
        if out.send(Ok(ImageProgress { bytes: 0, loaded })).await.is_err() {
            tracing::debug!("the caller has gone away");
        }
        Ok(())
    }

    /// All images.
    pub(super) async fn list(&self) -> Result<Vec<Image>, Status> {
        let (images, pinned) = self.images().list().await.map_err(|error| refused(&error))?;
        let one = |image: crate::cri::v1::Image| Image {
            pinned: image.pinned || pinned.contains(&image.id),
            id: image.id,
            tags: image.repo_tags,
            digests: image.repo_digests,
            size: image.size,
        };
        Ok(images.into_iter().map(one).collect())
    }

    /// Removes one by name.
    pub(super) async fn remove(&self, name: &str) -> Result<(), Status> {
        match self.images().remove(name).await {
            Ok(true) => Ok(()),
            Ok(false) => Err(Status::not_found(&GroupResource::new("", "images"), name)),
            Err(error) => Err(refused(&error)),
        }
    }
}

/// A broken archive is the caller's fault, all else is ours.
fn refused(error: &LoadError) -> Status {
    let text = status::chain(error);
    match error {
        LoadError::Read(_) | LoadError::TooMany | LoadError::Broken(_) | LoadError::Unpack(_) => {
            Status::bad_request(text)
        }
        LoadError::Containerd(_) | LoadError::Unseen(_) | LoadError::Cri(_) | LoadError::Interrupted(_) => {
            Status::failure(500, Reason::InternalError, text)
        }
    }
}
