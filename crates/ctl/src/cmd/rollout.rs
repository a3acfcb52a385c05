//! `rollout`: how a new version of a workload comes to be, and back.

use std::process::ExitCode;

use serde_json::Value;

use crate::manifest::Files;
use crate::targets::{self, Item, Select};
use crate::{Cluster, Context, Error};

actions! {
    history => History,
    pause => Pause,
    restart => Restart,
    resume => Resume,
    status => Status,
    undo => Undo,
}

/// Manage the rollout of deployments and daemon sets
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

/// Which workloads.
#[derive(Debug, clap::Args)]
pub struct Workloads {
    /// TYPE NAME… or TYPE/NAME…
    what: Vec<String>,
    #[command(flatten)]
    files: Files,
    #[command(flatten)]
    select: Select,
}

/// Runs the command.
pub async fn run(args: Args, context: &Context) -> Result<ExitCode, Error> {
    args.action.run(context).await
}

// === impl Workloads ===

impl Workloads {
    /// Each of them with its state.
    pub(super) async fn load(&self, cluster: &Cluster) -> Result<Vec<(Item, Value)>, Error> {
        if self.what.is_empty() && self.files.names.is_empty() {
            return Err(Error::Usage("required resource not specified".into()));
        }
        let items = targets::items(cluster, &self.what, &self.files, &self.select).await?;
        if items.is_empty() {
            eprintln!("No resources found in {} namespace.", cluster.namespace);
        }
        let mut loaded = Vec::new();
        for item in items {
            let object = item.get(cluster).await?;
            loaded.push((item, object));
        }
        Ok(loaded)
    }
}

/// Pauses or resumes.
pub(super) async fn pause(workloads: &Workloads, context: &Context, paused: bool) -> Result<ExitCode, Error> {
    let cluster = Cluster::load(context).await?.writing(false, "ctl-rollout");
    let word = if paused { "paused" } else { "resumed" };
    let mut outcomes = targets::Outcomes::default();
    for (item, object) in workloads.load(&cluster).await? {
        let name = (&item.resource.gvr.group_resource().to_string(), &item.name);
        let outcome = match (item.resource.kind.as_str(), object["spec"]["paused"] == true) {
            ("Deployment", now) if now == paused => {
                let already = if paused { "is already paused" } else { "is not paused" };
                Err(Error::Usage(format!("{} {:?} {already}", name.0, name.1)))
            }
            ("Deployment", _) => {
                let patch = nakhoda_client::Patch::merge(&serde_json::json!({"spec": {"paused": paused}}));
                item.api(&cluster).patch(&item.name, &patch).await.map_err(Error::from)
            }
            _ => Err(Error::Usage(format!("{} {:?} pausing is not supported", name.0, name.1))),
        };
        if outcomes.take(outcome).is_some() {
            crate::say!("{} {word}", item.printed());
        }
    }
    Ok(outcomes.code())
}
