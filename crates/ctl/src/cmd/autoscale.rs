//! `autoscale`: a HorizontalPodAutoscaler for a workload.

use std::process::ExitCode;

use nakhoda_api::quantity::Quantity;
use serde_json::{Value, json};

use crate::manifest::Files;
use crate::report::Writing;
use crate::targets::{self, Item, Outcomes, Select};
use crate::{Context, Error};

/// Create an autoscaler that chooses the number of pods of a workload
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  ctl autoscale deployment hello-flask --min=2 --max=10 --cpu=80%")]
pub struct Args {
    /// TYPE NAME… or TYPE/NAME…
    what: Vec<String>,
    /// The least number of pods
    #[arg(long)]
    min: Option<i32>,
    /// The greatest number of pods
    #[arg(long, required = true)]
    max: i32,
    /// What pods should use on the average: 80% of what they ask for, or an amount such as 500m
    #[arg(long)]
    cpu: Option<String>,
    /// What pods should use on the average: 80% of what they ask for, or an amount such as 200Mi
    #[arg(long)]
    memory: Option<String>,
    /// Percents of the processor time that they ask for
    #[arg(long, conflicts_with = "cpu")]
    cpu_percent: Option<i32>,
    /// Name of the autoscaler; default: that of the workload
    #[arg(long)]
    name: Option<String>,
    #[command(flatten)]
    files: Files,
    #[command(flatten)]
    writing: Writing,
}

/// Runs the command.
pub async fn run(args: Args, context: &Context) -> Result<ExitCode, Error> {
    if args.max < 1 {
        return Err(Error::Usage("--max=MAXPODS is required and must be at least 1".into()));
    }
    if args.min.is_some_and(|min| args.max < min) {
        return Err(Error::Usage("--max=MAXPODS must be larger or equal to --min=MINPODS".into()));
    }
    let (cluster, report) = super::create::prepare(&args.writing, context).await?;
    let metrics = metrics(&args)?;
    let mut outcomes = Outcomes::default();
    for item in targets::items(&cluster, &args.what, &args.files, &Select::default()).await? {
        let object = item.get(&cluster).await?;
        let autoscaler = Item::of(&cluster, autoscaler(&args, &object, &item.namespace, &metrics))?;
        let made = super::create::make(&cluster, &autoscaler, &args.writing).await;
        if let Some(object) = outcomes.take(made) {
            report.done(&autoscaler.resource, &object, "autoscaled")?;
        }
    }
    Ok(outcomes.code())
}

fn autoscaler(args: &Args, object: &Value, namespace: &str, metrics: &[Value]) -> Value {
    let own = object["metadata"]["name"].as_str().unwrap_or_default();
    let name = args.name.as_deref().unwrap_or(own);
    let mut autoscaler = json!({
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {
            "scaleTargetRef": {"apiVersion": object["apiVersion"], "kind": object["kind"], "name": own},
            "maxReplicas": args.max,
        },
    });
    if let Some(min) = args.min.filter(|min| *min > 0) {
        autoscaler["spec"]["minReplicas"] = min.into();
    }
    if !metrics.is_empty() {
        autoscaler["spec"]["metrics"] = metrics.into();
    }
    autoscaler
}

fn metrics(args: &Args) -> Result<Vec<Value>, Error> {
    let cpu = args.cpu.clone().or_else(|| args.cpu_percent.map(|percents| format!("{percents}%")));
    let asked = [("cpu", cpu), ("memory", args.memory.clone())];
    asked.iter().filter_map(|(name, text)| Some(metric(name, text.as_deref()?))).collect()
}

fn metric(name: &str, text: &str) -> Result<Value, Error> {
    let wrong = || Error::Usage(format!("invalid {name} target {text:?}: it is no percentage and no quantity"));
    let target = match text.strip_suffix('%') {
        Some(percents) => {
            let percents: i32 = percents.parse().map_err(|_| wrong())?;
            json!({"type": "Utilization", "averageUtilization": percents})
        }
        None => {
            let quantity = Quantity::parse(text).map_err(|_| wrong())?;
            json!({"type": "AverageValue", "averageValue": quantity.to_string()})
        }
    };
    Ok(json!({"type": "Resource", "resource": {"name": name, "target": target}}))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_shares_or_amounts() {
        let target = |text| metric("cpu", text).map(|metric| metric["resource"]["target"].clone()).ok();
        assert_eq!(target("80%"), Some(json!({"type": "Utilization", "averageUtilization": 80})));
        assert_eq!(target("500m"), Some(json!({"type": "AverageValue", "averageValue": "500m"})));
        assert_eq!((target("x%"), target("many")), (None, None));
    }
}
