//! What happens in order before the server is ready, and the checks that tell.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use nakhoda_daemon::Tasks;
use nakhoda_daemon::health::Health;

use super::{Core, advertise};
use crate::aggregation::authentication::{self, Facts};
use crate::aggregation::{self, Aggregation};
use crate::pipeline::flow;
use crate::{alloc, authz, bootstrap, custom};

const AGAIN: Duration = Duration::from_millis(500);
/// How often the store is asked whether it is there.
const LOOK: Duration = Duration::from_secs(2);

/// What the cluster is told of this server.
pub(super) struct Told {
    pub(super) advertised: SocketAddr,
    pub(super) port: u16,
    pub(super) facts: Facts,
}

/// Registers the checks and starts the work.
pub(super) fn begin(core: &Core, tasks: &Tasks, health: &Health, told: Told) {
    let etcd = flag(health, "etcd", true);
    let caches = flag(health, "informer-sync", false);
    let bootstrapped = flag(health, "poststarthook/rbac/bootstrap-roles", false);
    let stop = tasks.token();
    health.ready("shutdown", Arc::new(move || if stop.is_cancelled() { Err("stopping".into()) } else { Ok(()) }));
    tasks.spawn("store check", watch_store(core.pipeline.clone(), etcd));
    let core = Core {
        pipeline: core.pipeline.clone(),
        rbac: core.rbac.clone(),
        node: core.node.clone(),
        issuer: core.issuer.clone(),
    };
    let inner = tasks.clone();
    tasks.spawn("startup", async move {
        core.pipeline.storage().caches().ready().await;
        authz::follow::follow(core.pipeline.storage(), core.pipeline.kinds(), &core.rbac, &core.node, &inner).await;
        custom::follow::start(&core.pipeline, &inner).await;
        caches.store(true, Ordering::Relaxed);
        while let Err(status) = bootstrap::ensure(&core.pipeline).await {
            tracing::warn!(error = %status, "bootstrap, trying again");
            tokio::time::sleep(AGAIN).await;
        }
        flow::follow::start(&core.pipeline, &inner);
        match alloc::repair::run(&core.pipeline).await {
            Ok(0) => {}
            Ok(corrections) => tracing::warn!(corrections, "addresses and ports of Services were set right"),
            Err(status) => tracing::warn!(error = %status, "addresses and ports of Services were not checked"),
        }
        advertise::keep(&core.pipeline, &inner, told.advertised, told.port);
        while let Err(status) = authentication::ensure(&core.pipeline, &told.facts).await {
            tracing::warn!(error = %status, "extension-apiserver-authentication, trying again");
            tokio::time::sleep(AGAIN).await;
        }
        bootstrap::tracking::keep(&core.pipeline, &inner);
        if let Some(aggregation) = core.pipeline.extension::<Aggregation>() {
            aggregation::follow::start(aggregation, &core.pipeline, &inner);
        }
        bootstrapped.store(true, Ordering::Relaxed);
        tracing::info!("ready");
    });
}

/// A check that passes once its flag is set.
fn flag(health: &Health, name: &str, live: bool) -> Arc<AtomicBool> {
    let flag = Arc::new(AtomicBool::new(false));
    let seen = flag.clone();
    let check: nakhoda_daemon::health::Check =
        Arc::new(move || if seen.load(Ordering::Relaxed) { Ok(()) } else { Err("not yet".into()) });
    if live {
        health.live(name, check);
    } else {
        health.ready(name, check);
    }
    flag
}

async fn watch_store(pipeline: crate::pipeline::Pipeline, flag: Arc<AtomicBool>) {
    let mut look = tokio::time::interval(LOOK);
    loop {
        look.tick().await;
        let answer = tokio::time::timeout(LOOK, pipeline.storage().caches().revision()).await;
        flag.store(matches!(answer, Ok(Ok(_))), Ordering::Relaxed);
    }
}
