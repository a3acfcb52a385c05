//! Host ports on the node's loopback. Rules could translate them only if loopback addresses were routed, so this
//! process copies the connections and datagrams; the pod sees the node's own address.
//!
//! Absent: SCTP.

mod udp;

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use nakhoda_daemon::Tasks;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

use crate::table::Owner;

/// Before a port that was taken is tried again: a pod that goes may still hold it.
const AGAIN: Duration = Duration::from_millis(500);
/// Connections of one port at once; more wait.
const CONNECTIONS: usize = 256;

/// A port of the loopback and where it leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Relay {
    /// Whether it takes datagrams.
    pub datagrams: bool,
    /// Where clients come.
    pub at: SocketAddr,
    /// The pod's port.
    pub to: SocketAddr,
}

/// All relays of this node that are at work.
pub struct Relays {
    tasks: Tasks,
    running: BTreeMap<(Owner, Relay), Tasks>,
}

// === impl Relays ===

impl Relays {
    /// None yet.
    #[must_use]
    pub const fn new(tasks: Tasks) -> Self {
        Self { tasks, running: BTreeMap::new() }
    }

    /// Gives an owner these relays instead of those that it had. Those that stay keep their connections.
    pub fn replace(&mut self, owner: &Owner, wanted: &[Relay]) {
        self.running.retain(|(held_by, relay), tasks| {
            let stays = held_by != owner || wanted.contains(relay);
            if !stays {
                tasks.stop();
            }
            stays
        });
        for relay in wanted {
            let tasks = self.tasks.child();
            self.running.entry((owner.clone(), *relay)).or_insert_with(|| {
                tasks.spawn(format!("relay {}", relay.at), run(*relay, tasks.clone()));
                tasks
            });
        }
    }
}

async fn run(relay: Relay, tasks: Tasks) {
    let mut told = false;
    loop {
        let outcome = if relay.datagrams { udp::serve(&relay, &tasks).await } else { serve(&relay, &tasks).await };
        if let Err(error) = outcome
            && !std::mem::replace(&mut told, true)
        {
            tracing::warn!(%error, address = %relay.at, "a host port cannot be served; trying again");
        }
        tokio::time::sleep(AGAIN).await;
    }
}

async fn serve(relay: &Relay, tasks: &Tasks) -> io::Result<()> {
    let listener = TcpListener::bind(relay.at).await?;
    let room = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        let Ok(place) = room.clone().acquire_owned().await else { return Ok(()) };
        let (mut client, _) = listener.accept().await?;
        let to = relay.to;
        tasks.spawn("relayed connection", async move {
            let copied = async {
                let mut pod = TcpStream::connect(to).await?;
                tokio::io::copy_bidirectional(&mut client, &mut pod).await
            };
            if let Err(error) = copied.await {
                tracing::debug!(%error, %to, "a relayed connection broke");
            }
            drop(place);
        });
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::UdpSocket;

    use super::*;

    async fn free() -> SocketAddr {
        TcpListener::bind("127.0.0.1:0").await.expect("bound").local_addr().expect("known")
    }

    #[tokio::test]
    async fn connections_are_copied_both_ways_until_the_owner_lets_go() {
        let pod = TcpListener::bind("127.0.0.1:0").await.expect("bound");
        let relay = Relay { datagrams: false, at: free().await, to: pod.local_addr().expect("known") };
        let (tasks, owner) = (Tasks::new(), Owner::Pod("d/p".into()));
        let mut relays = Relays::new(tasks.clone());
        relays.replace(&owner, &[relay]);
        tokio::spawn(async move {
            let (mut stream, _) = pod.accept().await.expect("accepted");
            let mut word = [0; 4];
            stream.read_exact(&mut word).await.expect("read");
            stream.write_all(&word).await.expect("written");
        });
        let mut client = loop {
            match TcpStream::connect(relay.at).await {
                Ok(client) => break client,
                Err(_) => tokio::task::yield_now().await,
            }
        };
        client.write_all(b"ping").await.expect("written");
        let mut word = [0; 4];
        client.read_exact(&mut word).await.expect("read");
        assert_eq!(&word, b"ping");
        relays.replace(&owner, &[]);
        assert_eq!(client.read(&mut word).await.unwrap_or(0), 0, "the connection ends with its relay");
    }

    #[tokio::test]
    async fn datagrams_find_their_way_back() {
        let pod = UdpSocket::bind("127.0.0.1:0").await.expect("bound");
        let relay = Relay { datagrams: true, at: free().await, to: pod.local_addr().expect("known") };
        let mut relays = Relays::new(Tasks::new());
        relays.replace(&Owner::Pod("d/p".into()), &[relay]);
        tokio::spawn(async move {
            let mut word = [0; 16];
            while let Ok((length, from)) = pod.recv_from(&mut word).await {
                pod.send_to(&word[..length], from).await.expect("sent");
            }
        });
        let client = UdpSocket::bind("127.0.0.1:0").await.expect("bound");
        client.connect(relay.at).await.expect("connected");
        let mut word = [0; 16];
        let length = loop {
            // A port that is not bound yet refuses.
            if client.send(b"ping").await.is_ok()
                && let Ok(Ok(length)) = tokio::time::timeout(Duration::from_millis(50), client.recv(&mut word)).await
            {
                break length;
            }
        };
        assert_eq!(&word[..length], b"ping");
    }
}
