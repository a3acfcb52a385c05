//! `scale`: how many replicas there should be.

use std::process::ExitCode;

use nakhoda_client::Patch;
use serde_json::{Value, json};

use crate::manifest::Files;
use crate::report::Writing;
use crate::targets::{self, Item, Outcomes, Select};
use crate::{Cluster, Context, Error};

/// Set a new size for a deployment, replica set or replication controller
#[derive(Debug, clap::Args)]
pub struct Args {
    /// TYPE NAME… or TYPE/NAME…
    what: Vec<String>,
    /// The new number of replicas
    #[arg(long, required = true)]
    replicas: u32,
    /// Only if there are this many now
    #[arg(long)]
    current_replicas: Option<u64>,
    /// Only if the object is of this version
    #[arg(long)]
    resource_version: Option<String>,
    #[command(flatten)]
    files: Files,
    #[command(flatten)]
    select: Select,
    #[command(flatten)]
    writing: Writing,
}

/// Runs the command.
pub async fn run(args: Args, context: &Context) -> Result<ExitCode, Error> {
    let (cluster, report) = super::create::prepare(&args.writing, context).await?;
    let items = targets::items(&cluster, &args.what, &args.files, &args.select).await?;
    if items.is_empty() {
        return Err(Error::Usage("no objects passed to scale".into()));
    }
    let mut outcomes = Outcomes::default();
    for item in items {
        if outcomes.take(scale(&cluster, &item, &args).await).is_some() {
            let object = if args.writing.output.is_some() { item.get(&cluster).await? } else { json!({"metadata": {"name": item.name}}) };
            report.done(&item.resource, &object, "scaled")?;
        }
    }
    Ok(outcomes.code())
}

async fn scale(cluster: &Cluster, item: &Item, args: &Args) -> Result<(), Error> {
    if args.writing.is_local() {
        return Ok(());
    }
    let api = item.api(cluster);
    let mut patch = json!({"spec": {"replicas": args.replicas}});
    if let Some(expected) = args.current_replicas {
        let scale: Value = api.get_sub(&item.name, "scale").await?;
        let actual = scale["spec"]["replicas"].as_u64().unwrap_or(0);
        if actual != expected {
            return Err(Error::Usage(format!("Expected replicas to be {expected}, was {actual}")));
        }
        patch["metadata"] = json!({"resourceVersion": scale["metadata"]["resourceVersion"]});
    }
    if let Some(version) = &args.resource_version {
        patch["metadata"] = json!({"resourceVersion": version});
    }
    let _: Value = api.patch_sub(&item.name, "scale", &Patch::merge(&patch)).await?;
    Ok(())
}
