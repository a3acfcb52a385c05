//! The sockets: UDP and TCP, one task each, and one task for each question.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hickory_proto::op::{Message, MessageType, OpCode, ResponseCode};
use nakhoda_daemon::Tasks;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::sync::Semaphore;

use crate::answer::{Answer, answer};
use crate::directory::Directory;
use crate::forward::Forwarder;
use crate::records;

/// The largest UDP answer to a client that names no size (RFC 1035) and to any (RFC 9715's advice).
const SMALL: u16 = 512;
const LARGE: u16 = 1232;
/// Questions under way at once; more wait in the socket's buffer.
const QUESTIONS: usize = 1000;
/// A TCP connection without a question is closed.
const IDLE: Duration = Duration::from_secs(30);

/// Turns packets into packets.
pub struct Answerer {
    domain: String,
    directory: Directory,
    forwarder: Forwarder,
}

// === impl Answerer ===

impl Answerer {
    /// For the names below `domain`.
    #[must_use]
    pub fn new(domain: impl Into<String>, directory: Directory, forwarder: Forwarder) -> Self {
        Self { domain: domain.into().trim_end_matches('.').to_ascii_lowercase(), directory, forwarder }
    }

    /// The answer to a packet; none to what is no question.
    pub async fn answer(&self, packet: &[u8], tcp: bool) -> Option<Vec<u8>> {
        let question = Message::from_vec(packet).ok()?;
        if question.metadata.message_type != MessageType::Query {
            return None;
        }
        let mut reply = Message::response(question.metadata.id, question.metadata.op_code);
        reply.metadata.recursion_desired = question.metadata.recursion_desired;
        reply.metadata.recursion_available = true;
        reply.queries.clone_from(&question.queries);
        let asked = match (question.metadata.op_code, question.queries.as_slice()) {
            (OpCode::Query, [one]) => one.clone(),
            (OpCode::Query, _) => return packed(reply, ResponseCode::FormErr, &question, tcp),
            _ => return packed(reply, ResponseCode::NotImp, &question, tcp),
        };
        let code = match answer(&self.directory, &self.domain, &asked.name, asked.query_type) {
            Answer::Elsewhere => match self.forwarder.ask(packet, tcp).await {
                Some(answer) => return Some(answer),
                None => ResponseCode::ServFail,
            },
            Answer::Records(records) => {
                reply.answers = records;
                ResponseCode::NoError
            }
            Answer::Nothing => self.denied(&mut reply, ResponseCode::NoError),
            Answer::NoSuchName => self.denied(&mut reply, ResponseCode::NXDomain),
        };
        reply.metadata.authoritative = code != ResponseCode::ServFail;
        packed(reply, code, &question, tcp)
    }

    fn denied(&self, reply: &mut Message, code: ResponseCode) -> ResponseCode {
        reply.authorities.extend(records::authority(&self.domain));
        code
    }
}

/// Listens on every address.
pub async fn listen(addresses: &[SocketAddr], answerer: Arc<Answerer>, tasks: &Tasks) -> io::Result<()> {
    for address in addresses {
        let named = |error: io::Error| io::Error::new(error.kind(), format!("{address}: {error}"));
        let udp = Arc::new(UdpSocket::bind(address).await.map_err(named)?);
        let tcp = TcpListener::bind(address).await.map_err(named)?;
        tasks.spawn(format!("udp {address}"), serve_udp(udp, answerer.clone(), tasks.clone()));
        tasks.spawn(format!("tcp {address}"), serve_tcp(tcp, answerer.clone(), tasks.clone()));
    }
    Ok(())
}

fn packed(mut reply: Message, code: ResponseCode, question: &Message, tcp: bool) -> Option<Vec<u8>> {
    reply.metadata.response_code = code;
    let bytes = reply.to_vec().ok()?;
    let room = question.edns.as_ref().map_or(SMALL, |e| e.max_payload().clamp(SMALL, LARGE));
    if tcp || bytes.len() <= room.into() {
        return Some(bytes);
    }
    // Too large: the client asks again over TCP.
    reply.answers.clear();
    reply.authorities.clear();
    reply.metadata.truncation = true;
    reply.to_vec().ok()
}

async fn serve_udp(socket: Arc<UdpSocket>, answerer: Arc<Answerer>, tasks: Tasks) {
    let room = Arc::new(Semaphore::new(QUESTIONS));
    let mut buffer = vec![0; 65_535];
    loop {
        let (length, from) = match socket.recv_from(&mut buffer).await {
            Ok(received) => received,
            Err(error) => {
                // A client that is gone makes the next receive fail; the socket itself is well.
                tracing::debug!(%error, "receive");
                continue;
            }
        };
        let Ok(permit) = room.clone().acquire_owned().await else { return };
        let (packet, socket, answerer) = (buffer[..length].to_vec(), socket.clone(), answerer.clone());
        tasks.spawn("question", async move {
            if let Some(reply) = answerer.answer(&packet, false).await
                && let Err(error) = socket.send_to(&reply, from).await
            {
                tracing::debug!(%error, %from, "send");
            }
            drop(permit);
        });
    }
}

async fn serve_tcp(listener: TcpListener, answerer: Arc<Answerer>, tasks: Tasks) {
    loop {
        match listener.accept().await {
            Ok((stream, from)) => {
                let answerer = answerer.clone();
                tasks.spawn("connection", async move {
                    if let Err(error) = converse(stream, &answerer).await {
                        tracing::debug!(%error, %from, "connection ended");
                    }
                });
            }
            Err(error) => {
                // Out of file descriptors, most likely: let others end first.
                tracing::warn!(%error, "accept");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

async fn converse(mut stream: TcpStream, answerer: &Answerer) -> io::Result<()> {
    loop {
        let length = tokio::time::timeout(IDLE, stream.read_u16()).await??;
        let mut packet = vec![0; length.into()];
        tokio::time::timeout(IDLE, stream.read_exact(&mut packet)).await??;
        let Some(reply) = answerer.answer(&packet, true).await else { return Ok(()) };
        let length = u16::try_from(reply.len()).map_err(io::Error::other)?;
        stream.write_all(&length.to_be_bytes()).await?;
        stream.write_all(&reply).await?;
    }
}
