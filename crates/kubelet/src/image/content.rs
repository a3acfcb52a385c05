//! containerd's content store and the leases that keep new content from being collected.

use std::collections::HashMap;

use bytes::Bytes;
use containerd_client::services::v1::content_client::ContentClient;
use containerd_client::services::v1::leases_client::LeasesClient;
use containerd_client::services::v1::{
    AddResourceRequest, CreateRequest, DeleteRequest, Info, InfoRequest, ReadContentRequest, Resource, UpdateRequest,
    WriteAction, WriteContentRequest,
};
use sha2::{Digest, Sha256};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::Channel;

use crate::containerd::{Error, request};

/// The content store, seen through one lease.
#[derive(Clone, Debug)]
pub struct Content {
    channel: Channel,
    lease: String,
}

/// A blob that is being written.
pub struct Writer {
    content: Content,
    name: String,
    send: mpsc::Sender<WriteContentRequest>,
    answers: tonic::Streaming<containerd_client::services::v1::WriteContentResponse>,
    hash: Sha256,
    size: i64,
    head: Vec<u8>,
}

/// A blob that was written, or was there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Blob {
    /// `sha256:…`.
    pub digest: String,
    /// In bytes.
    pub size: i64,
    /// The first bytes, by which compression is told.
    pub head: Vec<u8>,
}

// === impl Content ===

impl Content {
    /// Opens a lease; what is written lives until it is closed, and longer only if an image holds it.
    pub async fn lease(channel: Channel) -> Result<Self, Error> {
        let id = format!("nakhoda-{}", uuid::Uuid::new_v4());
        let expire = jiff::Timestamp::now() + jiff::SignedDuration::from_hours(1);
        let labels = HashMap::from([("containerd.io/gc.expire".to_owned(), expire.to_string())]);
        let create = CreateRequest { id: id.clone(), labels };
        LeasesClient::new(channel.clone()).create(request(create)).await.map_err(Error::attempting("open a lease"))?;
        Ok(Self { channel, lease: id })
    }

    /// Ends the lease; content that no image holds is gone when this returns.
    pub async fn close(self) -> Result<(), Error> {
        let delete = DeleteRequest { id: self.lease, sync: true };
        LeasesClient::new(self.channel).delete(request(delete)).await.map_err(Error::attempting("close a lease"))?;
        Ok(())
    }

    /// The channel beneath.
    #[must_use]
    pub fn channel(&self) -> Channel {
        self.channel.clone()
    }

    /// A request that counts for the lease.
    pub fn leased<T>(&self, message: T) -> tonic::Request<T> {
        let mut request = request(message);
        let lease = self.lease.parse().expect("a lease id is plain ASCII");
        request.metadata_mut().insert("containerd-lease", lease);
        request
    }

    /// Size of a blob that is here, which is then kept by the lease.
    pub async fn keep(&self, digest: &str) -> Result<Option<Blob>, Error> {
        let info = ContentClient::new(self.channel.clone()).info(request(InfoRequest { digest: digest.into() })).await;
        let info = match info {
            Ok(answer) => answer.into_inner().info.unwrap_or_default(),
            Err(status) if status.code() == tonic::Code::NotFound => return Ok(None),
            Err(status) => return Err(Error::attempting(format!("look for blob {digest}"))(status)),
        };
        self.hold(digest).await?;
        let head = self.read(digest, 4).await?;
        Ok(Some(Blob { digest: digest.into(), size: info.size, head }))
    }

    /// The first `size` bytes of a blob.
    pub async fn read(&self, digest: &str, size: i64) -> Result<Vec<u8>, Error> {
        let attempt = || Error::attempting(format!("read blob {digest}"));
        let read = ReadContentRequest { digest: digest.into(), offset: 0, size };
        let mut stream =
            ContentClient::new(self.channel.clone()).read(request(read)).await.map_err(attempt())?.into_inner();
        let mut bytes = Vec::new();
        while let Some(part) = stream.message().await.map_err(attempt())? {
            bytes.extend(part.data);
        }
        Ok(bytes)
    }

    /// Sets labels of a blob, by which it refers to others.
    pub async fn label(&self, digest: &str, labels: HashMap<String, String>) -> Result<(), Error> {
        let paths = labels.keys().map(|key| format!("labels.{key}")).collect();
        let update = UpdateRequest {
            info: Some(Info { digest: digest.into(), labels, ..Default::default() }),
            update_mask: Some(prost_types::FieldMask { paths }),
        };
        let attempt = Error::attempting(format!("label blob {digest}"));
        ContentClient::new(self.channel.clone()).update(self.leased(update)).await.map_err(attempt)?;
        Ok(())
    }

    /// Starts a blob; `name` tells one write from another.
    pub async fn writer(&self, name: &str) -> Result<Writer, Error> {
        let attempt = Error::attempting(format!("write {name}"));
        let (send, receive) = mpsc::channel(4);
        let name = format!("{}-{name}", self.lease);
        let open = WriteContentRequest { action: WriteAction::Stat.into(), r#ref: name.clone(), ..Default::default() };
        send.send(open).await.expect("the receiver is held below");
        let stream = self.leased(ReceiverStream::new(receive));
        let answers = ContentClient::new(self.channel.clone()).write(stream).await.map_err(attempt)?.into_inner();
        let content = self.clone();
        let mut writer = Writer { content, name, send, answers, hash: Sha256::new(), size: 0, head: Vec::new() };
        writer.answer().await?;
        Ok(writer)
    }

    /// Writes a whole small blob.
    pub async fn put(&self, name: &str, bytes: Vec<u8>) -> Result<Blob, Error> {
        let mut writer = self.writer(name).await?;
        writer.write(bytes.into()).await?;
        writer.commit().await
    }

    async fn hold(&self, digest: &str) -> Result<(), Error> {
        let resource = Resource { id: digest.into(), r#type: "content".into() };
        let add = AddResourceRequest { id: self.lease.clone(), resource: Some(resource) };
        let attempt = Error::attempting(format!("hold blob {digest}"));
        LeasesClient::new(self.channel.clone()).add_resource(request(add)).await.map_err(attempt)?;
        Ok(())
    }
}

// === impl Writer ===

impl Writer {
    /// Appends.
    pub async fn write(&mut self, data: Bytes) -> Result<(), Error> {
        self.hash.update(&data);
        if self.head.len() < 4 {
            self.head.extend(data.iter().take(4 - self.head.len()));
        }
        let part = WriteContentRequest {
            action: WriteAction::Write.into(),
            r#ref: self.name.clone(),
            offset: self.size,
            data: data.to_vec(),
            ..Default::default()
        };
        self.size += i64::try_from(data.len()).unwrap_or(i64::MAX);
        self.say(part).await
    }

    /// Ends the blob. One that was there already is fine.
    pub async fn commit(mut self) -> Result<Blob, Error> {
        let digest = format!("sha256:{}", hex(&self.hash.clone().finalize()));
        let commit = WriteContentRequest {
            action: WriteAction::Commit.into(),
            r#ref: self.name.clone(),
            offset: self.size,
            total: self.size,
            expected: digest.clone(),
            ..Default::default()
        };
        match self.say(commit).await {
            Ok(()) => {}
            Err(error) if error.already_exists() => self.content.hold(&digest).await?,
            Err(error) => return Err(error),
        }
        Ok(Blob { digest, size: self.size, head: self.head })
    }

    async fn say(&mut self, message: WriteContentRequest) -> Result<(), Error> {
        if self.send.send(message).await.is_err() {
            tracing::debug!("the write stream was closed early; its answer says why");
        }
        self.answer().await
    }

    async fn answer(&mut self) -> Result<(), Error> {
        let attempt = || Error::attempting(format!("write {}", self.name));
        match self.answers.message().await {
            Ok(Some(_)) => Ok(()),
            Ok(None) => Err(attempt()(tonic::Status::aborted("the stream ended early"))),
            Err(status) => Err(attempt()(status)),
        }
    }
}

/// Lower-case hexadecimal.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}
