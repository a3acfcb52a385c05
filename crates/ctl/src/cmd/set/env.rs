//! `set env`: environment variables of containers.

use std::process::ExitCode;

use nakhoda_client::Patch;
use serde_json::{Value, json};

use super::{at, pod_spec, split};
use crate::cluster::{items, text};
use crate::manifest::Files;
use crate::report::Writing;
use crate::targets::{self, Outcomes, Select};
use crate::{Context, Error};

/// Update environment variables of containers
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  ctl set env deployment/web COLOUR=blue OLD-")]
pub struct Args {
    /// TYPE NAME or TYPE/NAME, then NAME=VALUE or NAME- …
    #[arg(required = true, value_name = "TYPE/NAME | NAME=VALUE | NAME-")]
    words: Vec<String>,
    /// Only in this container; default: all
    #[arg(long, short)]
    containers: Option<String>,
    #[command(flatten)]
    files: Files,
    #[command(flatten)]
    select: Select,
    #[command(flatten)]
    writing: Writing,
}

/// Runs the command.
pub async fn run(args: Args, context: &Context) -> Result<ExitCode, Error> {
    let (what, changes) = split(&args.words);
    if changes.is_empty() {
        return Err(Error::Usage("at least one environment variable must be provided".into()));
    }
    let (cluster, report) = super::super::create::prepare(&args.writing, context).await?;
    let mut outcomes = Outcomes::default();
    for item in targets::items(&cluster, &what, &args.files, &args.select).await? {
        let Some(object) = outcomes.take(item.get(&cluster).await) else { continue };
        let patch = patch(&object, args.containers.as_deref(), &changes);
        if args.writing.is_local() {
            report.done(&item.resource, &object, "env updated")?;
            continue;
        }
        let patched = item.api(&cluster).patch(&item.name, &Patch::strategic(&patch)).await;
        if let Some(object) = outcomes.take(patched.map_err(Error::from)) {
            report.done(&item.resource, &object.into_value(), "env updated")?;
        }
    }
    Ok(outcomes.code())
}

fn patch(object: &Value, only: Option<&str>, changes: &[String]) -> Value {
    let (path, spec) = pod_spec(object);
    let env: Vec<Value> = changes.iter().map(|change| variable(change)).collect();
    let chosen = items(spec, "/containers").filter(|c| only.is_none_or(|name| text(c, "/name") == name));
    let containers: Vec<Value> = chosen.map(|c| json!({"name": c["name"], "env": env})).collect();
    at(path, json!({"containers": containers}))
}

/// `NAME=VALUE` sets, `NAME-` takes away.
fn variable(change: &str) -> Value {
    match change.split_once('=') {
        Some((name, value)) => json!({"name": name, "value": value}),
        None => json!({"name": change.trim_end_matches('-'), "$patch": "delete"}),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_set_and_taken_away() {
        assert_eq!(variable("A=b=c"), json!({"name": "A", "value": "b=c"}));
        assert_eq!(variable("A-"), json!({"name": "A", "$patch": "delete"}));
    }
}
