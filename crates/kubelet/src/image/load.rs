//! Loading, listing and removing images by hand. A loaded image carries a label by which the image
//! garbage collector leaves it alone. A broken archive leaves nothing: all is written under a lease.

use std::collections::{HashMap, HashSet};
use std::io::Read;
use std::time::Duration;

use containerd_client::services::v1::images_client::ImagesClient;
use containerd_client::services::v1::{
    CreateImageRequest, DeleteImageRequest, Image, ListImagesRequest, UpdateImageRequest,
};
use containerd_client::types::Descriptor;
use serde_json::json;
use tonic::transport::Channel;

use super::archive::{self, Broken, Entry, Source};
use super::content::{Blob, Content};
use super::import::{Ingested, ingest};
use super::reference;
use super::snapshot::{SNAPSHOTTER, UnpackError, unpack};
use crate::containerd::{Error, request};
use crate::cri::{self, Cri};

/// Marks what was loaded by hand.
const LABEL: &str = "nakhoda.io/image";
const LOADED: &str = "loaded";
/// How long the CRI plugin may take to see an image that was made.
const SEEN: Duration = Duration::from_secs(10);

/// Why an archive was not loaded.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The bytes end early, or are no tar.
    #[error("cannot read the archive")]
    Read(#[source] std::io::Error),
    /// An archive of this many files is no image.
    #[error("the archive has too many files")]
    TooMany,
    /// It does not make sense.
    #[error(transparent)]
    Broken(#[from] Broken),
    /// Its layers do not make sense.
    #[error(transparent)]
    Unpack(#[from] UnpackError),
    /// containerd said no.
    #[error(transparent)]
    Containerd(#[from] Error),
    /// CRI does not see it.
    #[error("the runtime does not see {0} though it was imported")]
    Unseen(String),
    /// CRI said no.
    #[error(transparent)]
    Cri(#[from] cri::Error),
    /// The reading thread is gone.
    #[error("the import was interrupted")]
    Interrupted(#[source] tokio::task::JoinError),
}

/// The images of this node. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Images {
    channel: Channel,
    cri: Cri,
}

#[derive(serde::Deserialize)]
struct Config {
    rootfs: RootFs,
}

#[derive(serde::Deserialize)]
struct RootFs {
    diff_ids: Vec<String>,
}

// === impl Images ===

impl Images {
    /// Over a channel to containerd.
    #[must_use]
    pub fn new(channel: Channel) -> Self {
        Self { cri: Cri::new(channel.clone()), channel }
    }

    /// Reads an archive to its end and gives the names of the images that it held.
    pub async fn load(&self, reader: impl Read + Send + 'static) -> Result<Vec<String>, LoadError> {
        let content = Content::lease(self.channel.clone()).await?;
        let outcome = self.import(&content, reader).await;
        if let Err(error) = content.close().await {
            tracing::warn!(%error, "a lease stays until it expires");
        }
        let names = outcome?;
        for name in &names {
            self.seen(name).await?;
        }
        Ok(names)
    }

    /// Which of these blobs are not here.
    pub async fn missing(&self, digests: Vec<String>) -> Result<Vec<String>, Error> {
        let content = Content::lease(self.channel.clone()).await?;
        let mut missing = Vec::new();
        for digest in digests {
            if content.keep(&digest).await?.is_none() {
                missing.push(digest);
            }
        }
        content.close().await?;
        Ok(missing)
    }

    /// All images, and the ids of those that were loaded by hand.
    pub async fn list(&self) -> Result<(Vec<cri::v1::Image>, HashSet<String>), LoadError> {
        let filter = format!("labels.\"{LABEL}\"=={LOADED}");
        let list = ListImagesRequest { filters: vec![filter] };
        let attempt = Error::attempting("list images");
        let loaded = ImagesClient::new(self.channel.clone()).list(request(list)).await.map_err(attempt)?;
        let names: HashSet<String> = loaded.into_inner().images.into_iter().map(|image| image.name).collect();
        let images = self.cri.images().await?;
        let pinned = images.iter().filter(|i| i.repo_tags.iter().any(|tag| names.contains(tag))).map(|i| i.id.clone());
        let pinned = pinned.collect();
        Ok((images, pinned))
    }

    /// Removes one name, and the image with its last name. False if it is not here.
    pub async fn remove(&self, name: &str) -> Result<bool, LoadError> {
        let Some(image) = self.cri.image(name).await? else { return Ok(false) };
        let whole = reference::normalise(name).ok().filter(|whole| image.repo_tags.contains(whole));
        match whole {
            Some(name) if image.repo_tags.len() > 1 => {
                let delete = DeleteImageRequest { name: name.clone(), sync: true, target: None };
                let attempt = Error::attempting(format!("remove {name}"));
                ImagesClient::new(self.channel.clone()).delete(request(delete)).await.map_err(attempt)?;
            }
            _ => self.cri.remove_image(name).await?,
        }
        Ok(true)
    }

    async fn import(&self, content: &Content, reader: impl Read + Send + 'static) -> Result<Vec<String>, LoadError> {
        let writer = content.clone();
        let found = tokio::task::spawn_blocking(move || ingest(&writer, reader)).await;
        let found = found.map_err(LoadError::Interrupted)??;
        let mut ready = Vec::new();
        for entry in archive::entries(|path| found.file(path))? {
            ready.push((entry.names.clone(), prepare(content, &found, entry).await?));
        }
        let mut names = Vec::new();
        for (entry_names, target) in ready {
            for name in entry_names {
                self.record(content, &name, target.clone()).await?;
                names.push(name);
            }
        }
        Ok(names)
    }

    async fn record(&self, content: &Content, name: &str, target: Descriptor) -> Result<(), Error> {
        let labels = HashMap::from([(LABEL.to_owned(), LOADED.to_owned())]);
        let image = Some(Image { name: name.into(), labels, target: Some(target), ..Default::default() });
        let mut images = ImagesClient::new(self.channel.clone());
        let create = CreateImageRequest { image: image.clone(), source_date_epoch: None };
        match images.create(content.leased(create)).await {
            Ok(_) => Ok(()),
            Err(status) if status.code() == tonic::Code::AlreadyExists => {
                // Without a mask the CRI plugin's own label goes too, which makes it look at the image anew.
                let update = UpdateImageRequest { image, update_mask: None, source_date_epoch: None };
                images.update(content.leased(update)).await.map_err(Error::attempting(format!("update {name}")))?;
                Ok(())
            }
            Err(status) => Err(Error::attempting(format!("name {name}"))(status)),
        }
    }

    /// The CRI plugin takes images up by event; this waits for it.
    async fn seen(&self, name: &str) -> Result<(), LoadError> {
        let end = tokio::time::Instant::now() + SEEN;
        while tokio::time::Instant::now() < end {
            if self.cri.image(name).await?.is_some_and(|image| image.repo_tags.iter().any(|tag| tag == name)) {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Err(LoadError::Unseen(name.into()))
    }
}

/// Unpacks an image and gives its manifest, labelled so that containerd keeps all that belongs to it.
async fn prepare(content: &Content, found: &Ingested, entry: Entry) -> Result<Descriptor, LoadError> {
    let config = blob(content, found, &entry.config).await?;
    let bytes = content.read(&config.digest, 0).await?;
    let parsed: Config = serde_json::from_slice(&bytes)
        .map_err(|source| Broken::Json { file: format!("configuration {}", config.digest), source })?;
    let mut layers = Vec::new();
    for source in &entry.layers {
        let blob = blob(content, found, source).await?;
        layers.push(descriptor(layer_type(&blob.head), &blob));
    }
    let diff_ids = parsed.rootfs.diff_ids;
    if diff_ids.len() != layers.len() {
        let why = format!("{} layers of {}", diff_ids.len().saturating_sub(layers.len()), diff_ids.len());
        return Err(Broken::Lacks(why).into());
    }
    let top = unpack(content, &layers, &diff_ids).await?;
    let manifest = match entry.manifest {
        Some(given) => {
            let blob = blob(content, found, &Source::Digest(given.digest.clone())).await?;
            descriptor(&given.media_type, &blob)
        }
        None => compose(content, &config, &layers).await?,
    };
    let snapshot = HashMap::from([(format!("containerd.io/gc.ref.snapshot.{SNAPSHOTTER}"), top)]);
    content.label(&config.digest, snapshot).await?;
    let mut refs = HashMap::from([("containerd.io/gc.ref.content.config".to_owned(), config.digest)]);
    for (index, layer) in layers.iter().enumerate() {
        refs.insert(format!("containerd.io/gc.ref.content.l.{index}"), layer.digest.clone());
    }
    content.label(&manifest.digest, refs).await?;
    Ok(manifest)
}

/// The manifest that a `docker save` archive does not have.
async fn compose(content: &Content, config: &Blob, layers: &[Descriptor]) -> Result<Descriptor, Error> {
    const MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";
    let each = layers.iter().map(|l| json!({"mediaType": l.media_type, "digest": l.digest, "size": l.size}));
    let manifest = json!({
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": {
            "mediaType": "application/vnd.docker.container.image.v1+json",
            "digest": config.digest,
            "size": config.size,
        },
        "layers": each.collect::<Vec<_>>(),
    });
    let blob = content.put(&format!("manifest-{}", config.digest), manifest.to_string().into_bytes()).await?;
    Ok(descriptor(MANIFEST, &blob))
}

async fn blob(content: &Content, found: &Ingested, source: &Source) -> Result<Blob, LoadError> {
    match source {
        Source::File(path) => found.blob(path).cloned().ok_or_else(|| Broken::Lacks(path.clone()).into()),
        Source::Digest(digest) => {
            let path = format!("blobs/{}", digest.replace(':', "/"));
            match found.blob(&path) {
                Some(blob) if blob.digest == *digest => Ok(blob.clone()),
                Some(blob) => Err(Broken::Lacks(format!("{digest}: {path} holds {}", blob.digest)).into()),
                None => content.keep(digest).await?.ok_or_else(|| Broken::Lacks(digest.clone()).into()),
            }
        }
    }
}

fn descriptor(media_type: &str, blob: &Blob) -> Descriptor {
    Descriptor { media_type: media_type.into(), digest: blob.digest.clone(), size: blob.size, ..Default::default() }
}

const fn layer_type(head: &[u8]) -> &'static str {
    match head {
        [0x1f, 0x8b, ..] => "application/vnd.docker.image.rootfs.diff.tar.gzip",
        [0x28, 0xb5, 0x2f, 0xfd] => "application/vnd.oci.image.layer.v1.tar+zstd",
        _ => "application/vnd.docker.image.rootfs.diff.tar",
    }
}
