//! `rollout status`: how far a rollout is, until it is done.

use std::process::ExitCode;
use std::time::Duration;

use serde_json::Value;

use super::Workloads;
use crate::cluster::{items, text};
use crate::describe::deployment::REVISION;
use crate::targets::{Item, Outcomes};
use crate::{Cluster, Context, Error, wait};

/// Show the status of a rollout, by default until it is done
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    workloads: Workloads,
    /// Watch until it is done
    #[arg(long, short, default_value = "true", num_args = 0..=1, require_equals = true, default_missing_value = "true", action = clap::ArgAction::Set)]
    watch: bool,
    /// How long to wait; 0: as long as it takes
    #[arg(long, value_parser = wait::duration, default_value = "0s", hide_default_value = true)]
    timeout: Duration,
    /// Fail if another revision is rolled out meanwhile; 0: any
    #[arg(long, default_value_t = 0, hide_default_value = true)]
    revision: u64,
}

/// What there is to say.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Progress {
    Going(String),
    Done(String),
}

/// Runs the command.
pub async fn run(args: Args, context: &Context) -> Result<ExitCode, Error> {
    let cluster = Cluster::load(context).await?;
    let mut outcomes = Outcomes::default();
    for (item, _) in args.workloads.load(&cluster).await? {
        outcomes.take(follow(&cluster, &item, &args).await);
    }
    Ok(outcomes.code())
}

async fn follow(cluster: &Cluster, item: &Item, args: &Args) -> Result<(), Error> {
    let limit = (!args.timeout.is_zero()).then_some(args.timeout);
    let mut said = String::new();
    let judge = |object: Option<&Value>| {
        let object = object.ok_or_else(|| Error::Usage("object has been deleted".into()))?;
        let (sentence, done) = match progress(&item.resource.kind, object, args.revision)? {
            Progress::Going(sentence) => (sentence, !args.watch),
            Progress::Done(sentence) => (sentence, true),
        };
        if sentence != said {
            crate::say!("{sentence}");
            said = sentence;
        }
        Ok(done)
    };
    wait::until(cluster, item, limit, judge).await
}

fn progress(kind: &str, object: &Value, revision: u64) -> Result<Progress, Error> {
    match kind {
        "Deployment" => deployment(object, revision),
        "DaemonSet" => daemon_set(object),
        "StatefulSet" => stateful_set(object),
        _ => Err(Error::Usage(format!("no status viewer has been implemented for {kind}"))),
    }
}

fn is_observed(object: &Value) -> bool {
    object["metadata"]["generation"].as_i64() <= object["status"]["observedGeneration"].as_i64()
}

fn count(object: &Value, field: &str) -> u64 {
    object["status"][field].as_u64().unwrap_or(0)
}

fn deployment(object: &Value, revision: u64) -> Result<Progress, Error> {
    let name = text(object, "/metadata/name");
    let running = object["metadata"]["annotations"][REVISION].as_str().and_then(|r| r.parse().ok()).unwrap_or(0);
    if revision > 0 && running != revision {
        return Err(Error::Usage(format!(
            "desired revision ({revision}) is different from the running revision ({running})"
        )));
    }
    if !is_observed(object) {
        return Ok(Progress::Going("Waiting for deployment spec update to be observed...".into()));
    }
    let late = |c: &Value| c["type"] == "Progressing" && c["reason"] == "ProgressDeadlineExceeded";
    if items(object, "/status/conditions").any(late) {
        return Err(Error::Usage(format!("deployment {name:?} exceeded its progress deadline")));
    }
    let wanted = object["spec"]["replicas"].as_u64().unwrap_or(1);
    let (updated, all, available) =
        (count(object, "updatedReplicas"), count(object, "replicas"), count(object, "availableReplicas"));
    let waiting = |what: String| Ok(Progress::Going(format!("Waiting for deployment {name:?} rollout to finish: {what}...")));
    if updated < wanted {
        return waiting(format!("{updated} out of {wanted} new replicas have been updated"));
    }
    if all > updated {
        return waiting(format!("{} old replicas are pending termination", all - updated));
    }
    if available < updated {
        return waiting(format!("{available} of {updated} updated replicas are available"));
    }
    Ok(Progress::Done(format!("deployment {name:?} successfully rolled out")))
}

fn daemon_set(object: &Value) -> Result<Progress, Error> {
    let name = text(object, "/metadata/name");
    if text(object, "/spec/updateStrategy/type") == "OnDelete" {
        return Err(Error::Usage("rollout status is only available for RollingUpdate strategy type".into()));
    }
    if !is_observed(object) {
        return Ok(Progress::Going("Waiting for daemon set spec update to be observed...".into()));
    }
    let (wanted, updated, available) = (
        count(object, "desiredNumberScheduled"),
        count(object, "updatedNumberScheduled"),
        count(object, "numberAvailable"),
    );
    let waiting = |what: String| Ok(Progress::Going(format!("Waiting for daemon set {name:?} rollout to finish: {what}...")));
    if updated < wanted {
        return waiting(format!("{updated} out of {wanted} new pods have been updated"));
    }
    if available < wanted {
        return waiting(format!("{available} of {wanted} updated pods are available"));
    }
    Ok(Progress::Done(format!("daemon set {name:?} successfully rolled out")))
}

fn stateful_set(object: &Value) -> Result<Progress, Error> {
    if text(object, "/spec/updateStrategy/type") != "RollingUpdate" {
        return Err(Error::Usage("rollout status is only available for RollingUpdate strategy type".into()));
    }
    let going = |what: String| Ok(Progress::Going(what));
    if count(object, "observedGeneration") == 0 || !is_observed(object) {
        return going("Waiting for statefulset spec update to be observed...".into());
    }
    let wanted = object["spec"]["replicas"].as_u64().unwrap_or(1);
    let (ready, updated) = (count(object, "readyReplicas"), count(object, "updatedReplicas"));
    if ready < wanted {
        return going(format!("Waiting for {} pods to be ready...", wanted - ready));
    }
    // the server fills this in, so nearly every rollout counts as one up to a partition, kubectl's too
    if let Some(rolling) = object.pointer("/spec/updateStrategy/rollingUpdate") {
        let new = wanted.saturating_sub(rolling["partition"].as_u64().unwrap_or(0));
        if updated < new {
            let told = format!("{updated} out of {new} new pods have been updated");
            return going(format!("Waiting for partitioned roll out to finish: {told}..."));
        }
        let told = format!("partitioned roll out complete: {updated} new pods have been updated...");
        return Ok(Progress::Done(told));
    }
    let (new, old) = (text(object, "/status/updateRevision"), text(object, "/status/currentRevision"));
    if new != old {
        return going(format!("waiting for statefulset rolling update to complete {updated} pods at revision {new}..."));
    }
    let current = count(object, "currentReplicas");
    Ok(Progress::Done(format!("statefulset rolling update complete {current} pods at revision {old}...")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn said(status: &Value) -> String {
        let object = json!({"metadata": {"name": "web", "generation": 2}, "spec": {"replicas": 3}, "status": status});
        match deployment(&object, 0).expect("no failure") {
            Progress::Going(text) => text,
            Progress::Done(text) => format!("done: {text}"),
        }
    }

    #[test]
    fn a_rollout_is_told_step_by_step() {
        let start = "Waiting for deployment \"web\" rollout to finish: ";
        assert_eq!(said(&json!({"observedGeneration": 1})), "Waiting for deployment spec update to be observed...");
        let at = |updated: u64, all: u64, available: u64| {
            said(&json!({"observedGeneration": 2, "updatedReplicas": updated, "replicas": all, "availableReplicas": available}))
        };
        assert_eq!(at(1, 4, 3), format!("{start}1 out of 3 new replicas have been updated..."));
        assert_eq!(at(3, 4, 3), format!("{start}1 old replicas are pending termination..."));
        assert_eq!(at(3, 3, 2), format!("{start}2 of 3 updated replicas are available..."));
        assert_eq!(at(3, 3, 3), "done: deployment \"web\" successfully rolled out");
    }

    #[test]
    fn a_stateful_set_is_told_pod_by_pod() {
        let said = |rolling: Value, status: Value| {
            let mut strategy = json!({"type": "RollingUpdate"});
            if rolling.is_object() {
                strategy["rollingUpdate"] = rolling;
            }
            let spec = json!({"replicas": 3, "updateStrategy": strategy});
            let object = json!({"metadata": {"generation": 2}, "spec": spec, "status": status});
            match stateful_set(&object).expect("no failure") {
                Progress::Going(text) => text,
                Progress::Done(text) => format!("done: {text}"),
            }
        };
        let at = |ready: u64, updated: u64, current: &str| {
            json!({"observedGeneration": 2, "readyReplicas": ready, "updatedReplicas": updated, "currentReplicas": 3,
                "updateRevision": "b", "currentRevision": current})
        };
        let observed = "Waiting for statefulset spec update to be observed...";
        assert_eq!(said(Value::Null, json!({"observedGeneration": 1})), observed);
        assert_eq!(said(Value::Null, at(1, 1, "a")), "Waiting for 2 pods to be ready...");
        let rolling = "waiting for statefulset rolling update to complete 2 pods at revision b...";
        assert_eq!(said(Value::Null, at(3, 2, "a")), rolling);
        let done = "done: statefulset rolling update complete 3 pods at revision b...";
        assert_eq!(said(Value::Null, at(3, 3, "b")), done);
        let part = || json!({"partition": 1});
        let parts = "Waiting for partitioned roll out to finish: 1 out of 2 new pods have been updated...";
        assert_eq!(said(part(), at(3, 1, "a")), parts);
        assert_eq!(said(part(), at(3, 2, "a")), "done: partitioned roll out complete: 2 new pods have been updated...");
        assert!(stateful_set(&json!({"spec": {"updateStrategy": {"type": "OnDelete"}}})).is_err());
    }

    #[test]
    fn a_rollout_that_is_stuck_is_a_failure() {
        let object = json!({"metadata": {"name": "web"}, "status": {"conditions": [{"type": "Progressing", "reason": "ProgressDeadlineExceeded"}]}});
        assert!(deployment(&object, 0).is_err());
        assert!(deployment(&json!({"metadata": {"name": "web", "annotations": {REVISION: "2"}}}), 1).is_err());
    }
}
