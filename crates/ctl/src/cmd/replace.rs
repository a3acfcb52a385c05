//! `replace`: objects as files have them, whatever they were.

use std::process::ExitCode;

use nakhoda_api::Object;
use serde_json::Value;

use crate::manifest::Files;
use crate::report::Writing;
use crate::targets::{self, Item, Outcomes, Select};
use crate::{Cluster, Context, Error};

/// Replace resources by what files say
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    files: Files,
    #[command(flatten)]
    writing: Writing,
}

/// Runs the command.
pub async fn run(args: Args, context: &Context) -> Result<ExitCode, Error> {
    if args.files.names.is_empty() {
        return Err(Error::Usage("must specify --filename to replace".into()));
    }
    let (cluster, report) = super::create::prepare(&args.writing, context).await?;
    let mut outcomes = Outcomes::default();
    for item in targets::items(&cluster, &[], &args.files, &Select::default()).await? {
        if let Some(object) = outcomes.take(replace(&cluster, &item, &args).await) {
            report.done(&item.resource, &object, "replaced")?;
        }
    }
    Ok(outcomes.code())
}

async fn replace(cluster: &Cluster, item: &Item, args: &Args) -> Result<Value, Error> {
    let mut object = item.object.clone().unwrap_or_default();
    if args.writing.is_local() {
        return Ok(object);
    }
    if object["metadata"]["resourceVersion"].is_null() {
        object["metadata"]["resourceVersion"] = item.get(cluster).await?["metadata"]["resourceVersion"].take();
    }
    let object = Object::from_value(object).map_err(|e| Error::Usage(e.to_string()))?;
    Ok(item.api(cluster).update(&object).await?.into_value())
}
