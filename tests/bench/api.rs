//! Writes, reads and lists of ConfigMaps.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anyhow::Result;
use futures::stream::{self, StreamExt, TryStreamExt};
use nakhoda_api::kinds::core::ConfigMap;
use nakhoda_client::{Api, Client, Selection};

use crate::figures::Figures;

/// Bytes of data in each object.
const SIZE: usize = 1024;

/// Measures one client and 64 at a time.
pub(crate) async fn measure(client: &Client, namespace: &str, figures: &mut Figures) -> Result<()> {
    let api = client.namespaced::<ConfigMap>(namespace);
    for (clients, count) in [(1, 300), (64, 3000)] {
        let start = Instant::now();
        let mut times = run(clients, count, |n| create(&api, format!("c{clients}-{n}"))).await?;
        rate(figures, &format!("create 1 KiB, {clients} clients"), count, start, &mut times);
        let start = Instant::now();
        let mut times = run(clients, count, |n| get(&api, format!("c{clients}-{n}"))).await?;
        rate(figures, &format!("get 1 KiB, {clients} clients"), count, start, &mut times);
    }
    let mut times = run(1, 20, |_| list(&api)).await?;
    figures.times("list of 3,300", &mut times);
    Ok(())
}

async fn run<F, G>(clients: usize, count: usize, work: F) -> Result<Vec<Duration>>
where
    F: Fn(usize) -> G,
    G: Future<Output = Result<()>>,
{
    let timed = stream::iter(0..count).map(|n| {
        let work = work(n);
        async {
            let start = Instant::now();
            work.await?;
            anyhow::Ok(start.elapsed())
        }
    });
    timed.buffer_unordered(clients).try_collect().await
}

#[allow(clippy::cast_precision_loss, reason = "small counts")]
fn rate(figures: &mut Figures, name: &str, count: usize, start: Instant, times: &mut [Duration]) {
    figures.add(format!("{name}, rate"), count as f64 / start.elapsed().as_secs_f64(), "/s");
    figures.times(name, times);
}

async fn create(api: &Api<ConfigMap>, name: String) -> Result<()> {
    let mut map = ConfigMap { data: Some(BTreeMap::from([("data".into(), "x".repeat(SIZE))])), ..ConfigMap::default() };
    map.metadata.name = Some(name);
    api.create(&map).await?;
    Ok(())
}

async fn get(api: &Api<ConfigMap>, name: String) -> Result<()> {
    api.get(&name).await?;
    Ok(())
}

async fn list(api: &Api<ConfigMap>) -> Result<()> {
    api.list(&Selection::default()).await?;
    Ok(())
}
