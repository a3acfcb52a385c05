//! Certificates that do not come by a handshake of ours are followed here: those for etcd, and the authorities that
//! other API servers are told of.

use std::sync::Arc;
use std::time::Duration;

use nakhoda_api::status::chain;
use nakhoda_daemon::Tasks;
use nakhoda_store::etcd::{Config, Etcd};

use super::{authorities, config};
use crate::aggregation::authentication;
use crate::options;
use crate::pipeline::Pipeline;

/// How often the files are looked at.
const LOOK: Duration = Duration::from_secs(2);

/// New calls to etcd use what the files say now. Watches go on until their connection ends.
pub(super) fn follow(tasks: &Tasks, etcd: &Arc<Etcd>, options: &options::Etcd) {
    let (etcd, options) = (etcd.clone(), options.clone());
    tasks.spawn("certificate for etcd", async move {
        let mut known = config(&options).ok().and_then(|config| config.tls);
        loop {
            tokio::time::sleep(LOOK).await;
            let Ok(now) = config(&options).inspect_err(|error| unreadable(&format!("{error:#}"))) else { continue };
            if now.tls == known {
                continue;
            }
            match use_now(&etcd, &now).await {
                Ok(()) => {
                    tracing::info!("certificate for etcd reloaded");
                    known = now.tls;
                }
                Err(error) => tracing::warn!(error, "the old certificate for etcd stays"),
            }
        }
    });
}

async fn use_now(etcd: &Etcd, config: &Config) -> Result<(), String> {
    etcd.reload(config).await.map_err(|error| chain(&error))
}

/// What other API servers read changes with the files.
pub(super) fn tell(tasks: &Tasks, pipeline: &Pipeline, options: options::Identity) {
    let pipeline = pipeline.clone();
    tasks.spawn("authorities", async move {
        let mut known = authorities(&options).ok();
        loop {
            tokio::time::sleep(LOOK).await;
            let Ok(now) = authorities(&options).inspect_err(|error| unreadable(error)) else { continue };
            if known.as_ref() == Some(&now) {
                continue;
            }
            match authentication::ensure(&pipeline, &now).await {
                Ok(()) => known = Some(now),
                Err(status) => tracing::warn!(error = %status, "the authorities are not told yet"),
            }
        }
    });
}

/// Files that are being replaced can be read the next time.
fn unreadable(error: &dyn std::fmt::Display) {
    tracing::warn!(%error, "certificates cannot be read, what was read before stays");
}
