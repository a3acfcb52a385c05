//! Exec and attach sessions on a kubelet.

use bytes::Bytes;
use futures::StreamExt;
use nakhoda_api::Status;
use nakhoda_rpc::status::from_tonic;
use nakhoda_rpc::v1::{NodeFrame, NodeOpen};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::Streaming;

use super::{Kubelets, Place};
use crate::response::{Channels, Frame};

/// Frames that wait in each direction.
pub(crate) const QUEUE: usize = 32;
/// The channel of the final Status.
pub(crate) const STATUS: u8 = 3;

/// What is done with the container.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Session {
    /// A new process.
    Exec,
    /// The container's own process.
    Attach,
}

/// Opens a session.
pub async fn open(kubelets: &Kubelets, place: &Place, session: Session, open: NodeOpen) -> Result<Channels, Status> {
    let mut node = kubelets.node(place)?;
    let (input, frames) = mpsc::channel::<Frame>(QUEUE);
    let first = NodeFrame { open: Some(open), ..NodeFrame::default() };
    let frames = ReceiverStream::new(frames).map(|frame| NodeFrame {
        open: None,
        channel: frame.channel.into(),
        data: frame.data,
        close: frame.close,
    });
    let request = futures::stream::once(std::future::ready(first)).chain(frames);
    let answer = match session {
        Session::Exec => node.exec(request).await,
        Session::Attach => node.attach(request).await,
    };
    let stream = answer.map_err(|status| from_tonic(&status))?.into_inner();
    let (sender, output) = mpsc::channel(QUEUE);
    kubelets.tasks().spawn(format!("{session:?} on {}", place.name), forward(stream, sender));
    Ok(Channels { input, output })
}

/// Passes frames on until either side ends. A broken stream becomes a final Status.
async fn forward(mut stream: Streaming<NodeFrame>, output: mpsc::Sender<Frame>) {
    loop {
        let next = tokio::select! {
            next = stream.message() => next,
            () = output.closed() => return,
        };
        let frame = match next {
            Ok(Some(frame)) => {
                Frame { channel: u8::try_from(frame.channel).unwrap_or(u8::MAX), data: frame.data, close: frame.close }
            }
            Ok(None) => return,
            Err(status) => last(&from_tonic(&status)),
        };
        let last = frame.channel == STATUS;
        if output.send(frame).await.is_err() || last {
            return;
        }
    }
}

/// The frame that ends a session.
#[must_use]
pub fn last(status: &Status) -> Frame {
    let data = Bytes::from(serde_json::to_vec(status).expect("a Status always serialises"));
    Frame { channel: STATUS, data, close: true }
}
