//! Many requests by some clients at a time.

use std::time::{Duration, Instant};

use anyhow::Result;
use futures::stream::{self, StreamExt, TryStreamExt};
use nakhoda_client::Config;

use crate::rest::Connection;

/// What became of them.
pub(crate) struct Outcome {
    /// Of each request.
    pub(crate) times: Vec<Duration>,
    /// From the first to the last.
    pub(crate) took: Duration,
}

// === impl Outcome ===

impl Outcome {
    /// Requests in a second.
    #[allow(clippy::cast_precision_loss, reason = "small counts")]
    pub(crate) fn rate(&self) -> f64 {
        self.times.len() as f64 / self.took.as_secs_f64()
    }
}

/// So many connections.
pub(crate) async fn connections(config: &Config, count: usize) -> Result<Vec<Connection>> {
    stream::iter(0..count).map(|_| Connection::open(config)).buffered(16).try_collect().await
}

/// Runs requests of the numbers, each client one at a time.
pub(crate) async fn run<F, G>(clients: &[Connection], numbers: std::ops::Range<usize>, work: F) -> Result<Outcome>
where
    F: Fn(Connection, usize) -> G + Clone + Send + 'static,
    G: Future<Output = Result<()>> + Send,
{
    let (start, step) = (Instant::now(), clients.len());
    let tasks: Vec<_> = clients
        .iter()
        .enumerate()
        .map(|(first, client)| {
            let (client, work, numbers) = (client.clone(), work.clone(), numbers.clone());
            tokio::spawn(async move {
                let mut times = Vec::new();
                for number in numbers.skip(first).step_by(step) {
                    let begun = Instant::now();
                    work(client.clone(), number).await?;
                    times.push(begun.elapsed());
                }
                anyhow::Ok(times)
            })
        })
        .collect();
    let mut times = Vec::new();
    for task in tasks {
        times.extend(task.await??);
    }
    Ok(Outcome { times, took: start.elapsed() })
}
