//! `apply`: makes the cluster's objects what files say, by a three-way merge with what was applied last.

use std::process::ExitCode;

use nakhoda_api::wire::{self, Media};
use nakhoda_api::Object;
use nakhoda_client::{Patch, PatchKind};
use serde_json::{Value, json};

use crate::cluster::gvk;
use crate::manifest::Files;
use crate::output::sorted;
use crate::report::{Report, Writing};
use crate::targets::{self, Item, Outcomes, Select};
use crate::{Cluster, Context, Error, merge};

/// Holds what was applied last.
pub const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";
/// Others may change the object meanwhile.
const ATTEMPTS: usize = 5;

/// Apply a configuration to resources by file name or standard input; those that are not there are created
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    files: Files,
    #[command(flatten)]
    writing: Writing,
    /// Let the server merge, by the owners of the fields
    #[arg(long)]
    server_side: bool,
    /// Take over fields of other owners; with --server-side
    #[arg(long, requires = "server_side")]
    force_conflicts: bool,
}

/// Runs the command.
pub async fn run(args: Args, context: &Context) -> Result<ExitCode, Error> {
    if args.files.names.is_empty() {
        return Err(Error::Usage("must specify one of -f FILE".into()));
    }
    let (cluster, report) = super::create::prepare(&args.writing, context).await?;
    let items = targets::items(&cluster, &[], &args.files, &Select::default()).await?;
    if items.is_empty() {
        return Err(Error::Usage("no objects passed to apply".into()));
    }
    for item in &items {
        check(item)?;
    }
    let mut outcomes = Outcomes::default();
    for item in items {
        let outcome = if args.server_side { server(&cluster, &item, &args).await } else { local(&cluster, &item, &args).await };
        if let Some((object, what)) = outcomes.take(outcome) {
            Report::done(&report, &item.resource, &object, what)?;
        }
    }
    Ok(outcomes.code())
}

/// Unknown fields are told before anything is done: the server would show them in the merged object.
fn check(item: &Item) -> Result<(), Error> {
    let object = item.object.clone().unwrap_or_default();
    let gvk = gvk(&object)?;
    if nakhoda_api::schema::message_for(&gvk).is_none() {
        return Ok(());
    }
    let invalid = |why: String| Error::Usage(format!("error validating {:?}: error validating data: {why}", item.printed()));
    let decoded = wire::decode(Media::Json, object.to_string().as_bytes(), None).map_err(|e| invalid(e.to_string()))?;
    if decoded.faults.is_empty() { Ok(()) } else { Err(invalid(decoded.faults.join(", "))) }
}

async fn server(cluster: &Cluster, item: &Item, args: &Args) -> Result<(Value, &'static str), Error> {
    let body = item.object.clone().unwrap_or_default().to_string().into_bytes();
    let patch = Patch { kind: PatchKind::Apply, body, force: args.force_conflicts };
    Ok((item.api(cluster).patch(&item.name, &patch).await?.into_value(), "serverside-applied"))
}

async fn local(cluster: &Cluster, item: &Item, args: &Args) -> Result<(Value, &'static str), Error> {
    let new = annotated(item.object.clone().unwrap_or_default());
    for attempt in 1.. {
        let current = match item.get(cluster).await {
            Ok(current) => current,
            Err(error) if error.is_not_found() => return create(cluster, item, new, args).await,
            Err(error) => return Err(error),
        };
        let Some(patch) = patch(item, &new, &current)? else { return Ok((current, "unchanged")) };
        if args.writing.is_local() {
            return Ok((current, "configured"));
        }
        match item.api(cluster).patch(&item.name, &Patch::merge(&patch)).await {
            Ok(object) => return Ok((object.into_value(), "configured")),
            Err(error) if error.is_conflict() && attempt < ATTEMPTS => {}
            Err(error) => return Err(error.into()),
        }
    }
    unreachable!("the last attempt answers")
}

async fn create(cluster: &Cluster, item: &Item, new: Value, args: &Args) -> Result<(Value, &'static str), Error> {
    if args.writing.is_local() {
        return Ok((new, "created"));
    }
    let object = Object::from_value(new).map_err(|e| Error::Usage(e.to_string()))?;
    Ok((item.api(cluster).create(&object).await?.into_value(), "created"))
}

/// What makes the current object the new one; it holds for the revision that was read.
fn patch(item: &Item, new: &Value, current: &Value) -> Result<Option<Value>, Error> {
    let last = match current["metadata"]["annotations"][LAST_APPLIED].as_str() {
        Some(text) => serde_json::from_str(text).map_err(Error::Answer)?,
        None => {
            eprintln!(
                "Warning: resource {}/{} is missing the {LAST_APPLIED} annotation which is required by ctl apply. ctl apply should only be used on resources created declaratively by either ctl create --save-config or ctl apply. The missing annotation will be patched automatically.",
                item.resource.gvr.resource, item.name
            );
            Value::Null
        }
    };
    let wanted = merge::three_way(&gvk(new)?, &last, new, current);
    Ok(merge::difference(current, &wanted).map(|mut patch| {
        patch["metadata"]["resourceVersion"] = current["metadata"]["resourceVersion"].clone();
        patch
    }))
}

/// The object with itself in the annotation.
fn annotated(mut object: Value) -> Value {
    if !object["metadata"].is_object() {
        object["metadata"] = json!({});
    }
    if !object["metadata"]["annotations"].is_object() {
        object["metadata"]["annotations"] = json!({});
    }
    if let Some(annotations) = object["metadata"]["annotations"].as_object_mut() {
        annotations.shift_remove(LAST_APPLIED);
    }
    let text = format!("{}\n", sorted(&object));
    object["metadata"]["annotations"][LAST_APPLIED] = text.into();
    object
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_annotation_holds_the_object_in_gos_order() {
        let object = annotated(json!({"kind": "A", "apiVersion": "v1", "metadata": {"name": "x"}}));
        assert_eq!(
            object["metadata"]["annotations"][LAST_APPLIED],
            "{\"apiVersion\":\"v1\",\"kind\":\"A\",\"metadata\":{\"annotations\":{},\"name\":\"x\"}}\n"
        );
    }
}
