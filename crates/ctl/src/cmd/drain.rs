//! `drain`: takes the pods off a node, by eviction, so that disruption budgets count.

pub mod plan;

use std::process::ExitCode;
use std::time::Duration;

use nakhoda_client::Selection;
use serde_json::{Value, json};

use crate::cluster::text;
use crate::cordoning::{self, Nodes};
use crate::targets::{self, Item, Outcomes};
use crate::{Cluster, Context, Error, wait};
use plan::{Plan, Rules};

/// Rest before an eviction that a budget forbids is tried again.
const PAUSE: Duration = Duration::from_secs(5);

/// Drain nodes in preparation for maintenance
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    nodes: Nodes,
    /// Go on though there are pods of daemon sets, which stay
    #[arg(long)]
    ignore_daemonsets: bool,
    /// Go on though there are pods that nothing will replace
    #[arg(long)]
    force: bool,
    /// Go on though pods use emptyDir, whose data is lost
    #[arg(long)]
    delete_emptydir_data: bool,
    /// Seconds given to each pod; below zero: its own
    #[arg(long, default_value_t = -1, allow_negative_numbers = true, hide_default_value = true)]
    grace_period: i64,
    /// Give up after this time; 0: never
    #[arg(long, value_parser = wait::duration, default_value = "0s", hide_default_value = true)]
    timeout: Duration,
    /// Only pods of these labels
    #[arg(long, default_value = "", hide_default_value = true)]
    pod_selector: String,
    /// Delete pods rather than evict them: budgets do not count
    #[arg(long)]
    disable_eviction: bool,
}

/// Runs the command.
pub async fn run(args: Args, context: &Context) -> Result<ExitCode, Error> {
    let cluster = Cluster::load(context).await?;
    let mut outcomes = Outcomes::default();
    let nodes = args.nodes.load(&cluster).await?;
    for node in &nodes {
        outcomes.take(cordoning::mark(&cluster, node, true).await);
    }
    for node in &nodes {
        if outcomes.take(drain(&cluster, node, &args).await).is_some() {
            crate::say!("{} drained", node.printed());
        }
    }
    Ok(outcomes.code())
}

async fn drain(cluster: &Cluster, node: &Item, args: &Args) -> Result<(), Error> {
    let resource = cluster.mapping.find("pods")?;
    let selection = Selection { labels: args.pod_selector.clone(), fields: format!("spec.nodeName={}", node.name) };
    let pods = cluster.list(resource, "", &selection).await?;
    let rules = Rules { daemon_sets: args.ignore_daemonsets, unmanaged: args.force, local: args.delete_emptydir_data };
    let Plan { leave, refuse, warnings } = Plan::of(&pods, rules);
    if !refuse.is_empty() {
        return Err(Error::Usage(format!("unable to drain node {:?} due to error: [{}]", node.name, refuse.join(", "))));
    }
    warnings.iter().for_each(|warning| eprintln!("Warning: {warning}"));
    let all = leave.iter().map(|pod| async {
        let mut item = targets::named(cluster, resource, text(pod, "/metadata/name"));
        item.namespace = text(pod, "/metadata/namespace").into();
        remove(cluster, &item, text(pod, "/metadata/uid"), args).await
    });
    let work = futures::future::try_join_all(all);
    if args.timeout.is_zero() {
        work.await?;
    } else {
        let late = |_| Error::Usage(format!("drain did not complete within {:?}", args.timeout));
        tokio::time::timeout(args.timeout, work).await.map_err(late)??;
    }
    Ok(())
}

/// Evicts one pod and waits until it is gone.
async fn remove(cluster: &Cluster, pod: &Item, uid: &str, args: &Args) -> Result<(), Error> {
    let grace = (args.grace_period >= 0).then_some(args.grace_period);
    let api = pod.api(cluster);
    let word = if args.disable_eviction { ("deleting", "deleted") } else { ("evicting", "evicted") };
    eprintln!("{} pod {}/{}", word.0, pod.namespace, pod.name);
    loop {
        let outcome = if args.disable_eviction {
            let options = k8s_openapi::apimachinery::pkg::apis::meta::v1::DeleteOptions {
                grace_period_seconds: grace,
                ..Default::default()
            };
            api.delete(&pod.name, &options).await.map(drop)
        } else {
            let options = grace.map_or_else(|| json!({}), |seconds| json!({"gracePeriodSeconds": seconds}));
            let eviction = json!({
                "apiVersion": "policy/v1",
                "kind": "Eviction",
                "metadata": {"name": pod.name, "namespace": pod.namespace},
                "deleteOptions": options,
            });
            api.create_sub::<_, Value>(&pod.name, "eviction", &eviction).await.map(drop)
        };
        match outcome {
            Ok(()) => break,
            Err(error) if error.is_not_found() => return Ok(()),
            Err(error) if error.status().is_some_and(|status| status.code == 429) => {
                eprintln!("error when evicting pods/{:?} -n {:?} (will retry after 5s): {error}", pod.name, pod.namespace);
                tokio::time::sleep(PAUSE).await;
            }
            Err(error) => return Err(error.into()),
        }
    }
    let other = |object: Option<&Value>| Ok(object.is_none_or(|object| text(object, "/metadata/uid") != uid));
    wait::until(cluster, pod, None, other).await?;
    crate::say!("pod/{} {}", pod.name, word.1);
    Ok(())
}
