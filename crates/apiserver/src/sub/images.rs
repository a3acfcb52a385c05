//! `images` of a node: load, list and remove images, for `ctl image`. Ours alone; upstream has no such
//! subresource.
//!
//! The parameter `action` is `list` (a JSON list), `remove` (with `name`), `missing` (with `digest`
//! repeated: those that the node lacks), or `load`: the archive comes on channel 0, and progress as one
//! JSON object for each line goes out on channel 1.

use bytes::Bytes;
use futures::StreamExt;
use futures::future::BoxFuture;
use nakhoda_api::{Object, Status};
use nakhoda_rpc::status::from_tonic;
use nakhoda_rpc::v1::node_client::NodeClient;
use nakhoda_rpc::v1::{BlobList, Chunk, Image, ImageListRequest, ImageProgress, ImageRef};
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::Streaming as Inbound;
use tonic::transport::Channel;

use super::Handler;
use crate::kubelets::channels::{self, QUEUE, STATUS};
use crate::kubelets::locate;
use crate::request::{Action, Connect};
use crate::response::{Answer, Channels, Frame, Response, Streaming};
use crate::verb::Call;

/// Speaks to a node about its images.
pub struct Images;

// === impl Images ===

impl Handler for Images {
    fn call<'a>(&'a self, call: &'a Call, action: Action) -> BoxFuture<'a, Result<Response, Status>> {
        Box::pin(async move {
            let Action::Connect(connect) = action else { return Err(call.unsupported("images")) };
            let kubelets = locate::kubelets(call)?;
            let node = kubelets.node(&locate::place(call, &call.target.name)?)?;
            if connect.get("action") == "load" {
                let (channels, work) = load(node).await?;
                kubelets.tasks().spawn(format!("images to {}", call.target.name), work);
                return Ok(Response::new(Answer::Stream(Streaming::Channels(channels))));
            }
            let value = ask(node, &connect).await.map_err(|status| from_tonic(&status))?;
            match value {
                Some(value) => {
                    let object = Object::from_value(value).map_err(|e| Status::internal(&e))?;
                    let text = Bytes::from(object.to_json());
                    let once = futures::stream::once(std::future::ready(Ok(text)));
                    Ok(Response::new(Answer::Stream(Streaming::Read(Box::pin(once)))))
                }
                None => Err(Status::bad_request("action must be one of list, load, missing, remove")),
            }
        })
    }
}

async fn ask(mut node: NodeClient<Channel>, connect: &Connect) -> Result<Option<Value>, tonic::Status> {
    Ok(Some(match connect.get("action") {
        "list" => {
            let list = node.list_images(ImageListRequest {}).await?.into_inner();
            json!({"images": list.images.iter().map(image).collect::<Vec<_>>()})
        }
        "remove" => {
            let removed = node.remove_image(ImageRef { name: connect.get("name").into() }).await?.into_inner();
            json!({"removed": removed.name})
        }
        "missing" => {
            let digests = connect.all("digest").map(Into::into).collect();
            json!({"digests": node.missing_blobs(BlobList { digests }).await?.into_inner().digests})
        }
        _ => return Ok(None),
    }))
}

fn image(image: &Image) -> Value {
    json!({
        "id": image.id,
        "tags": image.tags,
        "digests": image.digests,
        "size": image.size,
        "pinned": image.pinned,
    })
}

/// Starts a load: the channels for the front, and the work of passing progress on.
async fn load(mut node: NodeClient<Channel>) -> Result<(Channels, impl Future<Output = ()>), Status> {
    let (input, frames) = mpsc::channel::<Frame>(QUEUE);
    // the kubelet learns that the archive is whole by the end of the stream
    let chunks = ReceiverStream::new(frames)
        .take_while(|frame| std::future::ready(!frame.close))
        .map(|frame| Chunk { data: frame.data });
    let progress = node.load_images(chunks).await.map_err(|status| from_tonic(&status))?.into_inner();
    let (sender, output) = mpsc::channel(QUEUE);
    Ok((Channels { input, output }, report(progress, sender)))
}

async fn report(mut progress: Inbound<ImageProgress>, output: mpsc::Sender<Frame>) {
    loop {
        let next = tokio::select! {
            next = progress.message() => next,
            () = output.closed() => return,
        };
        let frame = match next {
            Ok(Some(ImageProgress { bytes, loaded })) => {
                let line = format!("{}\n", json!({"bytes": bytes, "loaded": loaded}));
                Frame { channel: 1, data: line.into(), close: false }
            }
            Ok(None) => channels::last(&Status::success(None)),
            Err(status) => channels::last(&from_tonic(&status)),
        };
        let last = frame.channel == STATUS;
        if output.send(frame).await.is_err() || last {
            return;
        }
    }
}
