//! `create`: objects of files, and of the most common kinds by flags.

use std::process::ExitCode;

use serde_json::Value;

use crate::manifest::Files;
use crate::report::Writing;
use crate::targets::{self, Item, Outcomes, Select};
use crate::{Cluster, Context, Error};

actions! {
    clusterrole => Clusterrole,
    clusterrolebinding => Clusterrolebinding,
    configmap => Configmap,
    deployment => Deployment,
    namespace => Namespace,
    role => Role,
    rolebinding => Rolebinding,
    secret => Secret,
    service => Service,
    serviceaccount => Serviceaccount,
    token => Token,
}

/// Create objects from files, or one of a common kind
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Args {
    #[command(flatten)]
    files: Files,
    #[command(flatten)]
    writing: Writing,
    #[command(subcommand)]
    action: Option<Action>,
}

/// Runs the command.
pub async fn run(args: Args, context: &Context) -> Result<ExitCode, Error> {
    if let Some(action) = args.action {
        return Box::pin(action.run(context)).await;
    }
    if args.files.names.is_empty() {
        return Err(Error::Usage("must specify one of -f FILE, or what to create; see 'ctl create --help'".into()));
    }
    let (cluster, report) = prepare(&args.writing, context).await?;
    let mut outcomes = Outcomes::default();
    for item in targets::items(&cluster, &[], &args.files, &Select::default()).await? {
        let made = make(&cluster, &item, &args.writing).await;
        if let Some(object) = outcomes.take(made) {
            report.done(&item.resource, &object, "created")?;
        }
    }
    Ok(outcomes.code())
}

/// Creates one object that flags describe.
pub(super) async fn submit(context: &Context, writing: &Writing, object: Value) -> Result<ExitCode, Error> {
    let (cluster, report) = prepare(writing, context).await?;
    let item = Item::of(&cluster, object)?;
    let object = make(&cluster, &item, writing).await?;
    report.done(&item.resource, &object, "created")?;
    Ok(ExitCode::SUCCESS)
}

/// Creates an object as it is given; answers what the server made of it.
pub async fn make(cluster: &Cluster, item: &Item, writing: &Writing) -> Result<Value, Error> {
    let object = item.object.clone().unwrap_or_default();
    if writing.is_local() {
        return Ok(object);
    }
    let object = nakhoda_api::Object::from_value(object).map_err(|e| Error::Usage(e.to_string()))?;
    Ok(item.api(cluster).create(&object).await?.into_value())
}

/// The cluster to write to, and how outcomes are told.
pub async fn prepare(writing: &Writing, context: &Context) -> Result<(Cluster, crate::report::Report), Error> {
    let report = writing.report()?;
    let cluster = Cluster::load(context).await?;
    Ok((cluster.writing(writing.is_rehearsal(), &writing.field_manager), report))
}
