//! `wait`: until objects have a condition, a value, are there, or are gone.

use std::process::ExitCode;
use std::time::Duration;

use serde_json::Value;

use crate::cluster::items;
use crate::manifest::Files;
use nakhoda_api::jsonpath::Template;
use crate::targets::{self, Outcomes, Select};
use crate::{Cluster, Context, Error, wait};

/// Wait for a condition on one or many resources
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  ctl wait --for=condition=Ready pod/web --timeout=60s\n  ctl wait --for=delete pod/web\n  ctl wait --for=jsonpath='{.status.phase}'=Running pod/web")]
pub struct Args {
    /// TYPE NAME…, TYPE/NAME…, or TYPE with -l or --all
    what: Vec<String>,
    /// create, delete, condition=NAME[=VALUE], jsonpath={PATH}[=VALUE]
    #[arg(long = "for", value_parser = Goal::parse)]
    goal: Goal,
    /// How long to wait; 0: only look
    #[arg(long, value_parser = wait::duration, default_value = "30s")]
    timeout: Duration,
    #[command(flatten)]
    files: Files,
    #[command(flatten)]
    select: Select,
}

/// What is waited for.
#[derive(Clone, Debug, PartialEq)]
enum Goal {
    Create,
    Delete,
    Condition { name: String, value: String },
    Path { path: Template, value: Option<String> },
}

/// Runs the command.
pub async fn run(args: Args, context: &Context) -> Result<ExitCode, Error> {
    let cluster = Cluster::load(context).await?;
    let items = targets::items(&cluster, &args.what, &args.files, &args.select).await?;
    if items.is_empty() {
        return Err(Error::Usage("no matching resources found".into()));
    }
    let mut outcomes = Outcomes::default();
    for item in items {
        if matches!(args.goal, Goal::Condition { .. } | Goal::Path { .. }) && outcomes.take(item.get(&cluster).await).is_none() {
            continue;
        }
        // looking takes a moment too
        let limit = args.timeout.max(Duration::from_secs(1));
        let outcome = wait::until(&cluster, &item, Some(limit), |object| Ok(args.goal.is_reached(object))).await;
        if outcomes.take(outcome).is_some() {
            crate::say!("{} condition met", item.printed());
        }
    }
    Ok(outcomes.code())
}

// === impl Goal ===

impl Goal {
    fn parse(text: &str) -> Result<Self, String> {
        match text.split_once('=') {
            None if text.eq_ignore_ascii_case("delete") => Ok(Self::Delete),
            None if text.eq_ignore_ascii_case("create") => Ok(Self::Create),
            Some(("condition", rest)) => {
                let (name, value) = rest.split_once('=').unwrap_or((rest, "true"));
                Ok(Self::Condition { name: name.into(), value: value.into() })
            }
            Some(("jsonpath", rest)) => {
                let end = rest.find('}').map_or(rest.len(), |end| rest[end..].find('=').map_or(rest.len(), |at| end + at));
                let (path, value) = rest.split_at(end);
                let value = value.strip_prefix('=').map(|value| value.trim_matches(['\'', '"']).to_owned());
                let path = Template::parse(path.trim_matches(['\'', '"'])).map_err(|e| e.to_string())?;
                Ok(Self::Path { path, value })
            }
            _ => Err(format!("unrecognized condition: {text:?}")),
        }
    }

    fn is_reached(&self, object: Option<&Value>) -> bool {
        match (self, object) {
            (Self::Delete, object) => object.is_none(),
            (_, None) => false,
            (Self::Create, Some(_)) => true,
            (Self::Condition { name, value }, Some(object)) => items(object, "/status/conditions").any(|c| {
                let is = |field: &str, text: &str| c[field].as_str().is_some_and(|found| found.eq_ignore_ascii_case(text));
                is("type", name) && is("status", value)
            }),
            (Self::Path { path, value }, Some(object)) => {
                let found = path.text(object);
                value.as_ref().map_or(!found.is_empty(), |value| found == *value)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn goals_are_read_and_reached() {
        let object = json!({"status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}, {"type": "Other", "status": "False"}]}});
        let reached = |goal: &str| Goal::parse(goal).expect("a goal").is_reached(Some(&object));
        for goal in ["condition=Ready", "condition=ready=true", "condition=Other=false", "jsonpath={.status.phase}=Running", "jsonpath='{.status.phase}'=Running", "jsonpath={.status.phase}", "create"] {
            assert!(reached(goal), "{goal}");
        }
        for goal in ["condition=Other", "jsonpath={.status.none}", "jsonpath={.status.phase}=Pending", "delete"] {
            assert!(!reached(goal), "{goal}");
        }
        assert!(Goal::parse("delete").expect("a goal").is_reached(None));
        assert!(Goal::parse("nothing").is_err());
    }
}
