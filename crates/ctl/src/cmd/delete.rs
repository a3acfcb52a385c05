//! `delete`: objects by name, file, selector, or all; by default it waits until they are gone.

use std::process::ExitCode;
use std::time::Duration;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::DeleteOptions;
use serde_json::Value;

use crate::cluster::text;
use crate::manifest::Files;
use crate::report::DryRun;
use crate::targets::{self, Item, Outcomes, Select};
use crate::{Cluster, Context, Error, wait};

/// Delete resources by file names, standard input, resources and names, or by resources and label selector
#[derive(Debug, clap::Args)]
pub struct Args {
    /// TYPE NAME…, TYPE/NAME…, or TYPE with -l or --all
    what: Vec<String>,
    #[command(flatten)]
    files: Files,
    #[command(flatten)]
    select: Select,
    /// Seconds given to the resource to terminate gracefully; below zero: its own
    #[arg(long, default_value_t = -1, allow_negative_numbers = true, hide_default_value = true)]
    grace_period: i64,
    /// Delete at once and do not wait for confirmation; needs --grace-period=0 where it is graceful
    #[arg(long)]
    force: bool,
    /// Grace period of one second
    #[arg(long)]
    now: bool,
    /// Wait until the resources are gone
    #[arg(long, default_value = "true", num_args = 0..=1, require_equals = true, default_missing_value = "true", action = clap::ArgAction::Set)]
    wait: bool,
    /// How long to wait; 0: as long as it takes
    #[arg(long, value_parser = wait::duration, default_value = "0s", hide_default_value = true)]
    timeout: Duration,
    /// What becomes of the dependents
    #[arg(long, value_enum, default_value = "background", num_args = 0..=1, default_missing_value = "background")]
    cascade: Cascade,
    /// Treat "not found" as success
    #[arg(long)]
    ignore_not_found: bool,
    /// none, client or server
    #[arg(long, value_enum, num_args = 0..=1, require_equals = true, default_value = "none", default_missing_value = "client")]
    dry_run: DryRun,
    /// Output format: name
    #[arg(long, short, value_parser = ["name"])]
    output: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Cascade {
    Background,
    Foreground,
    Orphan,
}

/// Runs the command.
pub async fn run(args: Args, context: &Context) -> Result<ExitCode, Error> {
    let grace = args.grace()?;
    let cluster = Cluster::load(context).await?.writing(args.dry_run == DryRun::Server, "ctl");
    let items = targets::items(&cluster, &args.what, &args.files, &args.select).await?;
    if items.is_empty() {
        crate::say!("No resources found");
    }
    if args.force {
        eprintln!(
            "Warning: Immediate deletion does not wait for confirmation that the running resource has been terminated. The resource may continue to run on the cluster indefinitely."
        );
    }
    let options = args.options(grace);
    let mut outcomes = Outcomes::default();
    let mut deleted = Vec::new();
    for item in items {
        match delete(&cluster, &item, &options, args.dry_run).await {
            Err(error) if (args.ignore_not_found || args.select.all) && error.is_not_found() => {}
            outcome => {
                if let Some(uid) = outcomes.take(outcome) {
                    crate::say!("{}", args.told(&item, grace));
                    deleted.push((item, uid));
                }
            }
        }
    }
    if args.wait && !args.force && args.dry_run == DryRun::None {
        gone(&cluster, &deleted, args.limit(), &mut outcomes).await;
    }
    Ok(outcomes.code())
}

async fn delete(cluster: &Cluster, item: &Item, options: &DeleteOptions, dry_run: DryRun) -> Result<String, Error> {
    if dry_run == DryRun::Client {
        return Ok(String::new());
    }
    let answer = item.api(cluster).delete(&item.name, options).await?.into_value();
    let status_uid = text(&answer, "/details/uid");
    Ok(if status_uid.is_empty() { text(&answer, "/metadata/uid") } else { status_uid }.to_owned())
}

/// Waits until the objects are not there, or others of their names are.
async fn gone(cluster: &Cluster, deleted: &[(Item, String)], limit: Option<Duration>, outcomes: &mut Outcomes) {
    for (item, uid) in deleted {
        let other = |object: Option<&Value>| {
            Ok(object.is_none_or(|object| !uid.is_empty() && text(object, "/metadata/uid") != uid))
        };
        outcomes.take(wait::until(cluster, item, limit, other).await);
    }
}

// === impl Args ===

impl Args {
    fn grace(&self) -> Result<Option<i64>, Error> {
        if self.now && self.grace_period >= 0 {
            return Err(Error::Usage("--now and --grace-period cannot be specified together".into()));
        }
        if self.force && self.grace_period > 0 {
            return Err(Error::Usage("--force and --grace-period greater than 0 cannot be specified together".into()));
        }
        Ok(match (self.now, self.force, self.grace_period) {
            (true, ..) => Some(1),
            (_, true, _) => Some(0),
            // deletion without confirmation needs --force
            (_, _, 0) => Some(1),
            (_, _, seconds) => (seconds > 0).then_some(seconds),
        })
    }

    fn options(&self, grace: Option<i64>) -> DeleteOptions {
        let propagation = match self.cascade {
            Cascade::Background => "Background",
            Cascade::Foreground => "Foreground",
            Cascade::Orphan => "Orphan",
        };
        DeleteOptions {
            grace_period_seconds: grace,
            propagation_policy: Some(propagation.into()),
            ..DeleteOptions::default()
        }
    }

    fn limit(&self) -> Option<Duration> {
        (!self.timeout.is_zero()).then_some(self.timeout)
    }

    fn told(&self, item: &Item, grace: Option<i64>) -> String {
        if self.output.is_some() {
            return item.printed();
        }
        let how = if grace == Some(0) { "force deleted" } else { "deleted" };
        let place = if item.resource.namespaced { format!(" from {} namespace", item.namespace) } else { String::new() };
        let suffix = self.dry_run.suffix();
        format!("{} {:?} {how}{place}{suffix}", item.resource.printed(), item.name)
    }
}
