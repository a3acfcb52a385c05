//! Datagrams: each client has a socket towards the pod, by which the answers find back.

use std::collections::HashMap;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Weak};
use std::time::Duration;

use nakhoda_daemon::Tasks;
use tokio::net::UdpSocket;

use super::Relay;

/// A client to whom nothing was sent for this long is forgotten.
const IDLE: Duration = Duration::from_secs(60);
/// Clients at once; what others send is lost.
const CLIENTS: usize = 256;
/// The largest datagram.
const LARGEST: usize = 65_536;

pub(super) async fn serve(relay: &Relay, tasks: &Tasks) -> io::Result<()> {
    let socket = Arc::new(UdpSocket::bind(relay.at).await?);
    let mut clients: HashMap<SocketAddr, Weak<UdpSocket>> = HashMap::new();
    let mut datagram = vec![0; LARGEST];
    loop {
        let (length, client) = socket.recv_from(&mut datagram).await?;
        let known = clients.get(&client).and_then(Weak::upgrade);
        let towards = match known {
            Some(towards) => towards,
            None => {
                clients.retain(|_, socket| socket.strong_count() > 0);
                if clients.len() >= CLIENTS {
                    tracing::debug!(address = %relay.at, "too many clients; a datagram is lost");
                    continue;
                }
                let towards = Arc::new(UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).await?);
                towards.connect(relay.to).await?;
                clients.insert(client, Arc::downgrade(&towards));
                tasks.spawn("relayed datagrams", answers(towards.clone(), socket.clone(), client));
                towards
            }
        };
        if let Err(error) = towards.send(&datagram[..length]).await {
            tracing::debug!(%error, to = %relay.to, "a datagram was not taken");
        }
    }
}

/// Brings a client what the pod answers.
async fn answers(towards: Arc<UdpSocket>, socket: Arc<UdpSocket>, client: SocketAddr) {
    let mut datagram = vec![0; LARGEST];
    while let Ok(Ok(length)) = tokio::time::timeout(IDLE, towards.recv(&mut datagram)).await {
        if let Err(error) = socket.send_to(&datagram[..length], client).await {
            tracing::debug!(%error, %client, "an answer was not taken");
        }
    }
}
