//! `rollout restart`: new pods of the same template.

use std::process::ExitCode;

use jiff::Timestamp;
use nakhoda_client::Patch;
use serde_json::json;

use super::Workloads;
use crate::targets::Outcomes;
use crate::{Cluster, Context, Error};

/// A template that carries another time is another template.
const RESTARTED: &str = "kubectl.kubernetes.io/restartedAt";

/// Replace all pods of a workload
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    workloads: Workloads,
}

/// Runs the command.
pub async fn run(args: Args, context: &Context) -> Result<ExitCode, Error> {
    let cluster = Cluster::load(context).await?.writing(false, "ctl-rollout");
    let now = nakhoda_api::time::now_rfc3339(Timestamp::now());
    let patch = Patch::merge(&json!({"spec": {"template": {"metadata": {"annotations": {RESTARTED: now}}}}}));
    let mut outcomes = Outcomes::default();
    for (item, object) in args.workloads.load(&cluster).await? {
        let outcome = match item.resource.kind.as_str() {
            "Deployment" if object["spec"]["paused"] == true => Err(Error::Usage(format!(
                "{} {:?} can't restart paused deployment (run rollout resume first)",
                item.resource.gvr.group_resource(),
                item.name
            ))),
            "Deployment" | "DaemonSet" | "StatefulSet" => {
                item.api(&cluster).patch(&item.name, &patch).await.map_err(Error::from)
            }
            _ => Err(Error::Usage(format!(
                "{} {:?} restarting is not supported",
                item.resource.gvr.group_resource(),
                item.name
            ))),
        };
        if outcomes.take(outcome).is_some() {
            crate::say!("{} restarted", item.printed());
        }
    }
    Ok(outcomes.code())
}
