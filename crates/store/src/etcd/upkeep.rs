//! What etcd tells of itself: its members, and all of its data in the form that its own tools restore from.

use std::time::Duration;

use bytes::Bytes;
use etcd_client::SnapshotStreaming;
use futures::StreamExt;
use futures::future::join_all;
use futures::stream;

use super::config::{Clients, Config};
use super::convert::unsigned;
use super::fault;
use crate::error::Error;
use crate::store::{Member, MemberState, Pieces};

/// A member that says nothing for so long does not answer.
const PATIENCE: Duration = Duration::from_secs(2);

/// All members, each asked by itself.
pub(crate) async fn members(clients: &Clients) -> Result<Vec<Member>, Error> {
    let listing = async { clients.client.cluster_client().member_list().await.map_err(fault::error) };
    let listed = tokio::time::timeout(clients.config.within, listing).await.map_err(|_| Error::TimedOut)??;
    let asked = listed.members().iter().map(|member| async {
        let state = tokio::time::timeout(PATIENCE, state(&clients.config, member)).await;
        Member {
            name: member.name().to_owned(),
            addresses: member.client_urls().to_vec(),
            state: state.unwrap_or(Err(Error::TimedOut)),
        }
    });
    Ok(join_all(asked).await)
}

async fn state(config: &Config, member: &etcd_client::Member) -> Result<MemberState, Error> {
    let alone = Config { endpoints: member.client_urls().to_vec(), ..config.clone() };
    let client = Clients::new(&alone).await?.client;
    let told = client.maintenance_client().status().await.map_err(fault::error)?;
    Ok(MemberState {
        leads: told.leader() == member.id(),
        version: told.version().to_owned(),
        size: unsigned(told.db_size()),
        revision: told.header().map_or(0, |header| unsigned(header.revision())),
    })
}

/// The file that `etcdctl snapshot save` writes: the database, and the digest of it.
pub(crate) async fn snapshot(clients: &Clients) -> Result<Pieces, Error> {
    let stream = clients.client.maintenance_client().snapshot().await.map_err(fault::error)?;
    Ok(stream::unfold(Some(stream), piece).boxed())
}

async fn piece(state: Option<SnapshotStreaming>) -> Option<(Result<Bytes, Error>, Option<SnapshotStreaming>)> {
    let mut stream = state?;
    match stream.message().await {
        Ok(Some(piece)) => Some((Ok(Bytes::copy_from_slice(piece.blob())), Some(stream))),
        Ok(None) => None,
        Err(error) => Some((Err(fault::error(error)), None)),
    }
}
