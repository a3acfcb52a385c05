//! Certificates that are the node's own are renewed in the last third of their life, each with a new key, and at once
//! when the cluster has another authority than the one that signed them. The authorities that the node believes are
//! those that the cluster tells its pods. A renewed file is seen by whoever uses it; a request that fails is tried
//! again.

use std::net::IpAddr;
use std::path::Path;
use std::time::{Duration, SystemTime};

use nakhoda_api::kinds::core::ConfigMap;
use nakhoda_api::status::chain;
use nakhoda_client::Client;
use nakhoda_daemon::Tasks;
use nakhoda_daemon::pki::join::authority_hashes;
use nakhoda_daemon::pki::write_private;
use x509_parser::pem::Pem;

use super::request::{CLIENT, SERVING, Wanted, certificate};
use super::{Files, Pair};

/// After a failure.
const AGAIN: Duration = Duration::from_secs(10);
/// How often it is looked whether there is another authority.
const LOOK: Duration = Duration::from_secs(20);
/// Where the cluster tells its pods whom to believe. A node may read it once it runs a pod of that namespace.
const TOLD: (&str, &str, &str) = ("kube-system", "kube-root-ca.crt", "ca.crt");

/// Renews both certificates for as long as the process runs. The serving one is asked for at once if it is
/// signed by nobody but the node itself.
pub(crate) fn keep_fresh(tasks: &Tasks, client: &Client, root: &Path, node: &str, ip: IpAddr) {
    let files = Files::of(root);
    for (signer, pair) in [(CLIENT, files.client()), (SERVING, files.serving())] {
        let (client, node, authority) = (client.clone(), node.to_owned(), files.authority());
        tasks.spawn(format!("certificate of {signer}"), async move {
            let addresses = if signer == SERVING { vec![ip] } else { Vec::new() };
            let share = rand::random();
            loop {
                let pause = pause(&pair, &authority, share);
                tokio::time::sleep(pause.min(LOOK)).await;
                if pause > LOOK {
                    continue;
                }
                let wanted = Wanted { signer, node: &node, addresses: &addresses };
                match renew(&client, &pair, &wanted).await {
                    Ok(()) => tracing::info!(signer, "certificate renewed"),
                    Err(error) => {
                        tracing::warn!(signer, error = chain(error.as_ref()), "no certificate yet");
                        tokio::time::sleep(AGAIN).await;
                    }
                }
            }
        });
    }
    let (client, path) = (client.clone(), files.authority());
    tasks.spawn("authorities", async move {
        loop {
            tokio::time::sleep(LOOK).await;
            if let Err(error) = believe(&client, &path).await {
                tracing::debug!(error = chain(error.as_ref()), "the authorities stay as they are");
            }
        }
    });
}

/// Keeps the authorities that the cluster tells of. What it says comes from a server that is believed already.
async fn believe(client: &Client, path: &Path) -> anyhow::Result<()> {
    let (namespace, name, key) = TOLD;
    let map = client.namespaced::<ConfigMap>(namespace).get(name).await?;
    let Some(told) = map.data.as_ref().and_then(|data| data.get(key)) else { return Ok(()) };
    if std::fs::read_to_string(path).is_ok_and(|known| known == *told) {
        return Ok(());
    }
    authority_hashes(told)?;
    write_private(path, told.as_bytes())?;
    tracing::info!("the cluster has other authorities");
    Ok(())
}

async fn renew(client: &Client, pair: &Pair, wanted: &Wanted<'_>) -> anyhow::Result<()> {
    let next = pair.next();
    certificate(client, &next, wanted).await?;
    next.replace(pair)
}

/// How long a certificate may stay as it is.
fn pause(pair: &Pair, authority: &Path, share: f64) -> Duration {
    if is_of_another(pair, authority) {
        return Duration::ZERO;
    }
    let due = pair.life().map_or(SystemTime::UNIX_EPOCH, |life| life.renewal(share));
    due.duration_since(SystemTime::now()).unwrap_or_default()
}

/// Whether the certificate was signed by another than the authority that signs now, which comes first in its file:
/// by a former one, or by nobody but its own key.
fn is_of_another(pair: &Pair, authority: &Path) -> bool {
    let first = |path: &Path| Pem::iter_from_buffer(&std::fs::read(path).ok()?).next()?.ok();
    let (Some(leaf), Some(authority)) = (first(&pair.cert), first(authority)) else { return true };
    let (Ok(leaf), Ok(authority)) = (leaf.parse_x509(), authority.parse_x509()) else { return true };
    leaf.issuer() != authority.subject()
}
