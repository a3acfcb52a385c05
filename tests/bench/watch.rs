//! Watchers: how fast events reach many of them, and how late.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use futures::stream::{self, StreamExt, TryStreamExt};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use nakhoda_client::Config;
use tokio::sync::Barrier;

use crate::rest::{Connection, JSON};
use crate::{load, objects};

/// Watches on one connection: fewer than any server lets be open at a time.
const TOGETHER: usize = 50;
/// Every so many watchers, one reads when its events were sent.
const SAMPLE: usize = 50;
/// No watcher may wait so long for an event.
const PATIENCE: Duration = Duration::from_secs(120);

/// Watchers that are open.
pub(crate) struct Watchers {
    bodies: Vec<Incoming>,
    config: Config,
    begun: Instant,
}

/// How events came.
pub(crate) struct Delivery {
    /// Events that reached a watcher, in a second.
    pub(crate) rate: f64,
    /// From the request's start to the event, of a sample.
    pub(crate) delays: Vec<Duration>,
    /// Watches that the server ended before all events had come, as a slow reader's.
    pub(crate) cut: usize,
}

// === impl Watchers ===

impl Watchers {
    /// Opens so many on the ConfigMaps of a namespace.
    pub(crate) async fn open(config: &Config, namespace: &str, count: usize) -> Result<Self> {
        let connections = load::connections(config, count.div_ceil(TOGETHER)).await?;
        let path = format!("/api/v1/namespaces/{namespace}/configmaps?watch=true&resourceVersion=0&timeoutSeconds=600");
        let open = |number: usize| {
            let (connection, path) = (connections[number / TOGETHER].clone(), path.clone());
            async move { anyhow::Ok(connection.stream(&path, JSON).await?.into_body()) }
        };
        let bodies = stream::iter((0..count).map(open)).buffered(64).try_collect().await?;
        Ok(Self { bodies, config: config.clone(), begun: Instant::now() })
    }

    /// Makes ConfigMaps, `clients` at a time with a pause after each, until all watchers have seen all of them.
    pub(crate) async fn deliver(
        self,
        namespace: &str,
        events: usize,
        clients: usize,
        pause: Duration,
    ) -> Result<Delivery> {
        let (begun, watchers) = (self.begun, self.bodies.len());
        let seen = Arc::<AtomicU64>::default();
        let start = Arc::new(Barrier::new(watchers + 1));
        let tasks: Vec<_> = self
            .bodies
            .into_iter()
            .enumerate()
            .map(|(n, body)| tokio::spawn(follow(body, events, n % SAMPLE == 0, begun, seen.clone(), start.clone())))
            .collect();
        start.wait().await;
        let sent = Instant::now();
        let path = format!("/api/v1/namespaces/{namespace}/configmaps");
        let writers = load::connections(&self.config, clients).await?;
        let make = move |client: Connection, number: usize| {
            let path = path.clone();
            async move {
                let now = begun.elapsed().as_micros();
                client.post(&path, objects::config_map(&format!("w{clients}-{number}"), now)).await?;
                tokio::time::sleep(pause).await;
                Ok(())
            }
        };
        load::run(&writers, 0..events, make).await?;
        let (mut delays, mut cut) = (Vec::new(), 0);
        for task in tasks {
            let (count, mut sample) = task.await??;
            delays.append(&mut sample);
            cut += usize::from(count < events);
        }
        let took = sent.elapsed().as_secs_f64();
        #[allow(clippy::cast_precision_loss, reason = "small counts")]
        let rate = seen.load(Ordering::Relaxed) as f64 / took;
        Ok(Delivery { rate, delays, cut })
    }
}

/// Reads until so many events have come, or the server ends the watch. A watch's JSON has one event on each line.
async fn follow(
    mut body: Incoming,
    events: usize,
    sampled: bool,
    begun: Instant,
    seen: Arc<AtomicU64>,
    start: Arc<Barrier>,
) -> Result<(usize, Vec<Duration>)> {
    start.wait().await;
    let (mut count, mut delays, mut rest) = (0, Vec::new(), Vec::new());
    while count < events {
        let frame = tokio::time::timeout(PATIENCE, body.frame()).await.context("an event did not come")?;
        let Some(Ok(frame)) = frame else { break };
        let Ok(data) = frame.into_data() else { continue };
        if !sampled {
            count += data.iter().filter(|byte| **byte == b'\n').count();
            continue;
        }
        let now = begun.elapsed();
        rest.extend_from_slice(&data);
        while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = rest.drain(..=end).collect();
            delays.push(now.saturating_sub(objects::sent(&line)?));
            count += 1;
        }
    }
    seen.fetch_add(count as u64, Ordering::Relaxed);
    Ok((count, delays))
}
