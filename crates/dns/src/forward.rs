//! Names of other domains are asked elsewhere: the packet is passed on as it is, and so is the answer.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket};

/// How long one server may take.
const PATIENCE: Duration = Duration::from_secs(2);

/// The servers that are asked, in turn.
#[derive(Clone, Debug)]
pub struct Forwarder {
    servers: Vec<SocketAddr>,
}

// === impl Forwarder ===

impl Forwarder {
    /// Asks these servers, the first that answers wins.
    #[must_use]
    pub const fn new(servers: Vec<SocketAddr>) -> Self {
        Self { servers }
    }

    /// Asks; `None` if no server answers, or none is known.
    pub async fn ask(&self, packet: &[u8], tcp: bool) -> Option<Vec<u8>> {
        for server in &self.servers {
            let asked = async { if tcp { over_tcp(*server, packet).await } else { over_udp(*server, packet).await } };
            match tokio::time::timeout(PATIENCE, asked).await {
                Ok(Ok(answer)) => return Some(answer),
                Ok(Err(error)) => tracing::debug!(%server, %error, "no answer"),
                Err(_) => tracing::debug!(%server, "no answer in time"),
            }
        }
        None
    }
}

async fn over_udp(server: SocketAddr, packet: &[u8]) -> io::Result<Vec<u8>> {
    let any: SocketAddr = if server.is_ipv4() { ([0, 0, 0, 0], 0).into() } else { ([0u16; 8], 0).into() };
    let socket = UdpSocket::bind(any).await?;
    socket.connect(server).await?;
    socket.send(packet).await?;
    let mut answer = vec![0; 65_535];
    loop {
        let length = socket.recv(&mut answer).await?;
        // An answer to another question is not ours: ids are the first two bytes.
        if length >= 2 && answer[..2] == packet[..2] {
            answer.truncate(length);
            return Ok(answer);
        }
    }
}

/// Asks over TCP: a length of two bytes, then the message (RFC 1035 §4.2.2).
pub async fn over_tcp(server: SocketAddr, packet: &[u8]) -> io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect(server).await?;
    let length = u16::try_from(packet.len()).map_err(io::Error::other)?;
    stream.write_all(&length.to_be_bytes()).await?;
    stream.write_all(packet).await?;
    let length = stream.read_u16().await?;
    let mut answer = vec![0; length.into()];
    stream.read_exact(&mut answer).await?;
    Ok(answer)
}
