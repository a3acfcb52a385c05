//! Certificates that are the node's own are renewed in the last third of their life, each with a new key. A
//! renewed file is seen by whoever uses it; a request that fails is tried again.

use std::net::IpAddr;
use std::path::Path;
use std::time::{Duration, SystemTime};

use nakhoda_api::status::chain;
use nakhoda_client::Client;
use nakhoda_daemon::Tasks;

use super::request::{CLIENT, SERVING, Wanted, certificate};
use super::{Files, Pair};

/// After a failure.
const AGAIN: Duration = Duration::from_secs(10);

/// Renews both certificates for as long as the process runs. The serving one is asked for at once if it is
/// signed by nobody but the node itself.
pub(crate) fn keep_fresh(tasks: &Tasks, client: &Client, root: &Path, node: &str, ip: IpAddr) {
    let files = Files::of(root);
    for (signer, pair) in [(CLIENT, files.client()), (SERVING, files.serving())] {
        let (client, node) = (client.clone(), node.to_owned());
        tasks.spawn(format!("certificate of {signer}"), async move {
            let addresses = if signer == SERVING { vec![ip] } else { Vec::new() };
            loop {
                tokio::time::sleep(pause(&pair, signer)).await;
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
}

async fn renew(client: &Client, pair: &Pair, wanted: &Wanted<'_>) -> anyhow::Result<()> {
    let next = pair.next();
    certificate(client, &next, wanted).await?;
    next.replace(pair)
}

/// How long a certificate may stay as it is.
fn pause(pair: &Pair, signer: &str) -> Duration {
    if signer == SERVING && is_own_work(pair) {
        return Duration::ZERO;
    }
    let due = pair.life().map_or(SystemTime::UNIX_EPOCH, |life| life.renewal(rand::random()));
    due.duration_since(SystemTime::now()).unwrap_or_default()
}

/// Whether nobody has signed the certificate but its own key.
fn is_own_work(pair: &Pair) -> bool {
    let Ok(text) = std::fs::read(&pair.cert) else { return true };
    let block = x509_parser::pem::Pem::iter_from_buffer(&text).next().and_then(Result::ok);
    block.and_then(|block| block.parse_x509().map(|c| c.issuer() == c.subject()).ok()).unwrap_or(true)
}
