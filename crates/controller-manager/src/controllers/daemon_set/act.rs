//! How the daemon set controller makes pods.

use nakhoda_api::kinds::apps::DaemonSet;
use nakhoda_api::kinds::core::Pod;
use nakhoda_client::expect::Ledger;
use nakhoda_client::{Key, Result};

use super::pod;
use crate::pod_control::PodControl;

/// The most pods that one pass makes.
const BURST: usize = 250;

/// Makes a pod for each node.
pub async fn create(
    control: &PodControl,
    ledger: &Ledger,
    key: &Key,
    set: &DaemonSet,
    nodes: &[String],
    hash: &str,
) -> Result<()> {
    let pods: Vec<Pod> = nodes.iter().take(BURST).map(|node| pod::build(set, node, hash)).collect();
    control.create_all(ledger, key, set, &pods.iter().collect::<Vec<_>>()).await.1
}
