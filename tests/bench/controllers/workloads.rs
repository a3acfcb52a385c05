//! Deployments until their pods are there, and pods that are only there.

use std::collections::BTreeSet;
use std::ops::Range;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use serde_json::{Value, json};

use super::{Bench, NAMESPACE, PATIENCE, event, template};
use crate::lines::Lines;
use crate::load;

/// One large Deployment.
pub(super) async fn one(bench: &mut Bench, replicas: usize) -> Result<()> {
    let path = format!("/api/v1/namespaces/{NAMESPACE}/pods?watch=true&timeoutSeconds=3600&labelSelector=app%3Dlarge");
    let mut watch = Lines::open(&bench.config, &path).await?;
    let begun = Instant::now();
    bench.clients[0].post(&deployments(), deployment("large", replicas)).await?;
    let mut count = 0;
    while count < replicas {
        let line = watch.next(PATIENCE).await.with_context(|| format!("{count} of {replicas} pods are there"))?;
        count += usize::from(line.starts_with(br#"{"type":"ADDED""#));
    }
    bench.seconds(format!("a Deployment of {replicas}, all pods there"), begun.elapsed());
    Ok(())
}

/// Many small Deployments at once.
pub(super) async fn many(bench: &mut Bench, count: usize, each: usize) -> Result<()> {
    let path = format!("{}?watch=true&timeoutSeconds=3600&labelSelector=size%3Dsmall", deployments());
    let mut watch = Lines::open(&bench.config, &path).await?;
    let before = bench.process.map(crate::process::Process::cpu).transpose()?;
    let (begun, clients) = (Instant::now(), bench.clients.clone());
    let making = tokio::spawn(async move {
        let make = move |client: crate::rest::Connection, index: usize| async move {
            client.post(&deployments(), deployment(&format!("small-{index}"), each)).await.map(drop)
        };
        load::run(&clients, 0..count, make).await
    });
    let mut settled = BTreeSet::new();
    while settled.len() < count {
        let line = watch.next(PATIENCE).await.with_context(|| format!("{} of {count} are settled", settled.len()))?;
        let object = &event(&line)?["object"];
        if is_settled(object, each) {
            settled.insert(object["metadata"]["name"].as_str().unwrap_or_default().to_owned());
        }
    }
    let took = begun.elapsed();
    let made = making.await??;
    let name = format!("{count} Deployments of {each}");
    #[allow(clippy::cast_precision_loss, reason = "small counts")]
    let pods = (count * each) as f64;
    bench.seconds(format!("{name}, made"), made.took);
    bench.seconds(format!("{name}, settled"), took);
    bench.figures.add(format!("{name}, pods"), pods / took.as_secs_f64(), "1/s");
    if let (Some(process), Some(before)) = (bench.process, before) {
        let spent: Duration = process.cpu()?.saturating_sub(before);
        bench.figures.add(format!("{name}, CPU for a pod"), spent.as_secs_f64() * 1e3 / pods, "ms");
    }
    Ok(())
}

/// Pods of nobody.
pub(super) async fn fill(bench: &Bench, numbers: Range<usize>) -> Result<()> {
    let make = |client: crate::rest::Connection, index: usize| async move {
        let mut pod = template("filler");
        pod["metadata"]["name"] = format!("filler-{index}").into();
        client.post(&format!("/api/v1/namespaces/{NAMESPACE}/pods"), pod.to_string()).await.map(drop)
    };
    load::run(&bench.clients, numbers, make).await.map(drop)
}

fn deployments() -> String {
    format!("/apis/apps/v1/namespaces/{NAMESPACE}/deployments")
}

fn deployment(name: &str, replicas: usize) -> String {
    let size = if name.starts_with("small") { "small" } else { "large" };
    json!({
        "metadata": {"name": name, "labels": {"size": size}},
        "spec": {"replicas": replicas, "selector": {"matchLabels": {"app": name}}, "template": template(name)},
    })
    .to_string()
}

/// All its pods are there; without kubelets none is ready.
fn is_settled(deployment: &Value, replicas: usize) -> bool {
    let status = &deployment["status"];
    let counted = |field: &str| status[field].as_u64() == u64::try_from(replicas).ok();
    status["observedGeneration"] == deployment["metadata"]["generation"]
        && counted("replicas")
        && counted("updatedReplicas")
}
