//! Images that the API server itself hands out: those of the cluster's own pods, which no registry has.
//!
//! An archive is fetched by the digest of its bytes, checked, and then loaded like one that came by hand;
//! so its images are never collected. It waits on the disk meanwhile, beside the node's own files.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use futures::StreamExt;
use nakhoda_client::{Client, Duplex};
use nakhoda_rpc::v1;
use serde::Deserialize;
use tokio::fs::File;
use tokio::io::AsyncWriteExt;

use super::content::hex;
use super::load::{Images, LoadError};

/// The channel of the answer's bytes.
const OUTPUT: u32 = 1;

/// What the API server hands out. Cheap to clone.
#[derive(Clone)]
pub struct Archives {
    inner: Arc<Inner>,
}

struct Inner {
    client: Client,
    node: String,
    images: Images,
    root: PathBuf,
    /// One at a time: pods that start together often want the same.
    busy: tokio::sync::Mutex<()>,
}

/// Why nothing was fetched.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The API server said no, or did not answer.
    #[error("the API server does not hand it out")]
    Api(#[from] nakhoda_client::Error),
    /// Its list cannot be read.
    #[error("the API server's list of archives cannot be read")]
    List(#[source] serde_json::Error),
    /// The bytes are not those that were asked for.
    #[error("archive {wanted} came as {found}")]
    Digest {
        /// Asked for.
        wanted: String,
        /// Came.
        found: String,
    },
    /// The disk said no.
    #[error("cannot keep the archive at {path}")]
    Disk {
        /// Where.
        path: PathBuf,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
    /// The archive is no good.
    #[error("the archive was not loaded")]
    Load(#[from] LoadError),
}

#[derive(Deserialize)]
struct List {
    archives: Vec<Archive>,
}

#[derive(Deserialize)]
struct Archive {
    digest: String,
    names: Vec<String>,
}

// === impl Archives ===

impl Archives {
    /// What is handed out to a node; what is on its way lies in `root`.
    #[must_use]
    pub fn new(client: Client, node: &str, images: Images, root: &Path) -> Self {
        let inner = Inner { client, node: node.into(), images, root: root.into(), busy: tokio::sync::Mutex::default() };
        Self { inner: Arc::new(inner) }
    }

    /// Brings an image here by its whole name; false if it is not handed out.
    pub async fn fetch(&self, name: &str) -> Result<bool, Error> {
        let _one = self.inner.busy.lock().await;
        let Some(digest) = self.digest_of(name).await? else { return Ok(false) };
        let path = self.inner.root.join("archive.part");
        let fetched = self.download(&digest, &path).await;
        let loaded = match fetched {
            Ok(file) => self.inner.images.load(file).await.map_err(Error::from),
            Err(error) => Err(error),
        };
        if let Err(error) = tokio::fs::remove_file(&path).await {
            tracing::debug!(%error, "nothing was written");
        }
        tracing::info!(images = ?loaded?, "fetched from the API server");
        Ok(true)
    }

    async fn digest_of(&self, name: &str) -> Result<Option<String>, Error> {
        let mut answer = self.open("").await?;
        let mut text = Vec::new();
        while let Some(frame) = answer.recv.next().await {
            let frame = frame?;
            if frame.channel == OUTPUT {
                text.extend_from_slice(&frame.data);
            }
        }
        let list: List = serde_json::from_slice(&text).map_err(Error::List)?;
        Ok(list.archives.into_iter().find(|a| a.names.iter().any(|n| n == name)).map(|a| a.digest))
    }

    async fn download(&self, digest: &str, path: &Path) -> Result<std::fs::File, Error> {
        let disk = |source| Error::Disk { path: path.into(), source };
        let mut answer = self.open(digest).await?;
        let mut file = File::create(path).await.map_err(disk)?;
        let mut hash = ring::digest::Context::new(&ring::digest::SHA256);
        while let Some(frame) = answer.recv.next().await {
            let frame = frame?;
            if frame.channel == OUTPUT {
                hash.update(&frame.data);
                file.write_all(&frame.data).await.map_err(disk)?;
            }
        }
        file.flush().await.map_err(disk)?;
        let found = format!("sha256:{}", hex(hash.finish().as_ref()));
        if found != digest {
            return Err(Error::Digest { wanted: digest.into(), found });
        }
        std::fs::File::open(path).map_err(disk)
    }

    async fn open(&self, digest: &str) -> Result<Duplex, nakhoda_client::Error> {
        let target = v1::Target {
            version: "v1".into(),
            resource: "nodes".into(),
            name: self.inner.node.clone(),
            subresource: "archives".into(),
            ..v1::Target::default()
        };
        let parameter = |name: &str, value: &str| v1::Parameter { name: name.into(), value: value.into() };
        let parameters = vec![parameter("method", "get"), parameter("digest", digest)];
        self.inner.client.connect(v1::ConnectOpen { target: Some(target), parameters }).await
    }
}
