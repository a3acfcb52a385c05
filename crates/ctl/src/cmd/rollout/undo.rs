//! `rollout undo`: back to a version that was.

use std::collections::BTreeMap;
use std::process::ExitCode;

use nakhoda_client::Patch;
use serde_json::{Map, Value, json};

use super::Workloads;
use crate::cmd::apply::LAST_APPLIED;
use crate::describe::deployment::REVISION;
use crate::report::DryRun;
use crate::revisions::{self, Revision};
use crate::targets::{Item, Outcomes};
use crate::{Cluster, Context, Error};

/// The replica set's own label.
const HASH: &str = "pod-template-hash";
/// Annotations that belong to the present, whatever the template.
const KEPT: [&str; 5] = [
    LAST_APPLIED,
    REVISION,
    "deployment.kubernetes.io/revision-history",
    "deployment.kubernetes.io/desired-replicas",
    "deployment.kubernetes.io/max-replicas",
];

/// Roll back to a previous rollout
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    workloads: Workloads,
    /// The revision to go back to; 0: the one before
    #[arg(long, default_value_t = 0, hide_default_value = true)]
    to_revision: u64,
    /// none, client or server
    #[arg(long, value_enum, num_args = 0..=1, require_equals = true, default_value = "none", default_missing_value = "client")]
    dry_run: DryRun,
}

/// Runs the command.
pub async fn run(args: Args, context: &Context) -> Result<ExitCode, Error> {
    let cluster = Cluster::load(context).await?.writing(args.dry_run == DryRun::Server, "ctl-rollout");
    let mut outcomes = Outcomes::default();
    for (item, object) in args.workloads.load(&cluster).await? {
        if let Some(what) = outcomes.take(undo(&cluster, &item, &object, &args).await) {
            crate::say!("{} {what}{}", item.printed(), args.dry_run.suffix());
        }
    }
    Ok(outcomes.code())
}

async fn undo(cluster: &Cluster, item: &Item, object: &Value, args: &Args) -> Result<String, Error> {
    if object["spec"]["paused"] == true {
        return Err(Error::Usage(
            "you cannot rollback a paused deployment; resume it first with 'ctl rollout resume' and try again".into(),
        ));
    }
    let all = revisions::of(cluster, item, object).await?;
    let (number, revision) = chosen(&all, args.to_revision, &item.name)?;
    let template = bare(&revision.template);
    if template == bare(&object["spec"]["template"]) {
        return Ok(format!("skipped rollback (current template already matches revision {number})"));
    }
    if args.dry_run == DryRun::Client {
        return Ok("rolled back".into());
    }
    let patch = match item.resource.kind.as_str() {
        "Deployment" => json!([
            {"op": "replace", "path": "/spec/template", "value": template},
            {"op": "replace", "path": "/metadata/annotations", "value": annotations(object, &revision.holder)},
        ]),
        _ => json!([{"op": "replace", "path": "/spec/template", "value": template}]),
    };
    item.api(cluster).patch(&item.name, &Patch::json(&patch)).await?;
    Ok("rolled back".into())
}

/// The revision that is asked for, or the last but one.
fn chosen<'a>(all: &'a BTreeMap<u64, Revision>, to: u64, name: &str) -> Result<(u64, &'a Revision), Error> {
    if to > 0 {
        let found = all.get(&to).map(|revision| (to, revision));
        return found.ok_or_else(|| Error::Usage(format!("unable to find specified revision {to} in history")));
    }
    let previous = all.iter().rev().nth(1).map(|(number, revision)| (*number, revision));
    previous.ok_or_else(|| Error::Usage(format!("no rollout history found for deployment {name:?}")))
}

/// The template as the workload has it.
fn bare(template: &Value) -> Value {
    let mut template = template.clone();
    if let Some(labels) = template.pointer_mut("/metadata/labels").and_then(Value::as_object_mut) {
        labels.shift_remove(HASH);
    }
    template
}

/// Those of the revision, apart from what belongs to the present.
fn annotations(object: &Value, holder: &Value) -> Value {
    let of = |value: &Value| value["metadata"]["annotations"].as_object().cloned().unwrap_or_default();
    let is_kept = |key: &str| KEPT.contains(&key);
    let past = of(holder).into_iter().filter(|(key, _)| !is_kept(key));
    let present = of(object).into_iter().filter(|(key, _)| is_kept(key));
    past.chain(present).collect::<Map<_, _>>().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn revision() -> Revision {
        Revision { holder: Value::Null, template: Value::Null }
    }

    #[test]
    fn without_a_number_it_goes_back_by_one() {
        let all = BTreeMap::from([(1, revision()), (2, revision()), (4, revision())]);
        assert_eq!(chosen(&all, 0, "x").expect("a revision").0, 2);
        assert_eq!(chosen(&all, 1, "x").expect("a revision").0, 1);
        assert!(chosen(&all, 3, "x").is_err());
        assert!(chosen(&BTreeMap::from([(1, revision())]), 0, "x").is_err());
    }

    #[test]
    fn what_was_applied_last_stays_and_the_hash_goes() {
        let object = json!({"metadata": {"annotations": {LAST_APPLIED: "now", REVISION: "2", "a": "new"}}});
        let holder = json!({"metadata": {"annotations": {LAST_APPLIED: "then", REVISION: "1", "a": "old"}}});
        assert_eq!(annotations(&object, &holder), json!({"a": "old", LAST_APPLIED: "now", REVISION: "2"}));
        assert_eq!(bare(&json!({"metadata": {"labels": {HASH: "x", "a": "b"}}})), json!({"metadata": {"labels": {"a": "b"}}}));
    }
}
