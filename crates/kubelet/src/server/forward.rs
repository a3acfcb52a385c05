//! Byte streams into pods: PortForward connects to a port inside the pod's own network, where servers on
//! its loopback answer too; Dial connects to an address of a pod of this node, or of the node.

use std::io;
use std::os::fd::AsFd;

use futures::StreamExt;
use nakhoda_api::Status;
use nakhoda_rpc::v1::{NodeFrame, NodeOpen};
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tonic::Streaming;

use super::Server;
use super::exec::{Out, channel};
use crate::pod::spec;

const CHUNK: usize = 32 << 10;
const CONNECT: std::time::Duration = std::time::Duration::from_secs(10);

// === impl Server ===

impl Server {
    /// Connects to a port inside a pod.
    pub async fn connect_pod(&self, open: &NodeOpen) -> Result<TcpStream, Status> {
        let pod = open.pod.clone().unwrap_or_default();
        let view = self.view(&pod.namespace, &pod.name, &pod.uid)?;
        let stopped = || Status::bad_request(format!("pod {} is not running", pod.name));
        let sandbox = view.observed.sandbox().ok_or_else(stopped)?;
        let port = port(open)?;
        let failed = |error: io::Error| {
            Status::bad_request(format!("failed to connect to localhost:{port} inside the pod: {error}"))
        };
        if spec::host_network(spec::of(&view.pod)) {
            return TcpStream::connect(("localhost", port)).await.map_err(failed);
        }
        let process = self.host.cri.sandbox_pid(&sandbox.id).await.map_err(|error| Status::internal(&error))?;
        let process = process.ok_or_else(stopped)?;
        let inside = tokio::task::spawn_blocking(move || connect_inside(process, port)).await;
        let stream = inside.map_err(|error| Status::internal(&error))?.map_err(failed)?;
        TcpStream::from_std(stream).map_err(failed)
    }

    /// Connects to an address that is a pod's of this node, or the node's own.
    pub async fn connect_address(&self, open: &NodeOpen) -> Result<TcpStream, Status> {
        let (address, port) = (open.address.as_str(), port(open)?);
        let own = self.host.ips.iter().any(|ip| ip == address)
            || self
                .manager
                .views()
                .iter()
                .any(|v| v.observed.sandboxes.iter().any(|s| s.ips.iter().any(|ip| ip == address)));
        if !own {
            return Err(Status::bad_request(format!("{address} is not an address of this node or of a pod on it")));
        }
        let refused = |why: String| Status::unavailable(format!("dial tcp {address}:{port}: {why}"), 1);
        match tokio::time::timeout(CONNECT, TcpStream::connect((address, port))).await {
            Ok(Ok(stream)) => Ok(stream),
            Ok(Err(error)) => Err(refused(error.to_string())),
            Err(_) => Err(refused("i/o timeout".into())),
        }
    }
}

/// Carries bytes both ways until both sides have ended.
pub(super) async fn carry(stream: TcpStream, mut frames: Streaming<NodeFrame>, out: Out) {
    let (mut read, mut write) = stream.into_split();
    let inwards = async {
        while let Some(Ok(frame)) = frames.next().await {
            if frame.channel == channel::STDIN && !frame.data.is_empty() && write.write_all(&frame.data).await.is_err()
            {
                break;
            }
            if frame.close {
                break;
            }
        }
        write.shutdown().await
    };
    let outwards = async {
        let mut buffer = vec![0; CHUNK];
        while let Ok(size) = read.read(&mut buffer).await {
            let data = bytes::Bytes::copy_from_slice(&buffer[..size]);
            let frame = NodeFrame { channel: channel::STDOUT, data, close: size == 0, ..NodeFrame::default() };
            if out.send(Ok(frame)).await.is_err() || size == 0 {
                break;
            }
        }
    };
    tokio::select! {
        ((), closed) = async { tokio::join!(outwards, inwards) } => if let Err(error) = closed {
            tracing::trace!(%error, "the pod's side was closed before");
        },
        () = out.closed() => {}
    }
}

/// Connects from within another process's network. The thread takes that network on and ends after it.
fn connect_inside(process: u32, port: u16) -> io::Result<std::net::TcpStream> {
    let namespace = std::fs::File::open(format!("/proc/{process}/ns/net"))?;
    let connect = move || {
        move_into_link_name_space(namespace.as_fd(), Some(LinkNameSpaceType::Network))?;
        let stream = std::net::TcpStream::connect(("127.0.0.1", port))
            .or_else(|error| std::net::TcpStream::connect(("::1", port)).map_err(|_| error))?;
        stream.set_nonblocking(true)?;
        Ok(stream)
    };
    let thread = std::thread::Builder::new().name("port-forward".into()).spawn(connect)?;
    thread.join().map_err(|_| io::Error::other("the connecting thread failed"))?
}

fn port(open: &NodeOpen) -> Result<u16, Status> {
    u16::try_from(open.port)
        .ok()
        .filter(|p| *p > 0)
        .ok_or_else(|| Status::bad_request(format!("{} is not a port", open.port)))
}
