//! `why`: what keeps a pod from running, on one screen.

pub mod findings;
pub mod stalls;

use std::process::ExitCode;

use jiff::Timestamp;
use serde_json::Value;

use crate::cluster::text;
use crate::describe::events;
use crate::describe::sheet::Sheet;
use crate::output::out;
use crate::{Cluster, Context, Error, pods, targets};

/// So many events are shown.
const EVENTS: usize = 8;

/// Say why a pod is as it is: conditions, the last exit, what the scheduler and the kubelet say
#[derive(Debug, clap::Args)]
pub struct Args {
    /// POD or TYPE/NAME; of a workload the pod that is worst off
    #[arg(value_name = "POD | TYPE/NAME")]
    what: String,
}

/// Runs the command.
pub async fn run(args: Args, context: &Context) -> Result<ExitCode, Error> {
    let cluster = Cluster::load(context).await?;
    let item = targets::one(&cluster, &args.what, "pods")?;
    let pod = match pods::of(&cluster, &item).await {
        Ok(mut pods) => pods.pop().unwrap_or_default(),
        // a workload without pods has reasons of its own
        Err(Error::Usage(_)) => item.get(&cluster).await?,
        Err(error) => return Err(error),
    };
    let found = events::of(&cluster, &pod).await?;
    let node = match text(&pod, "/spec/nodeName") {
        "" => None,
        name => cluster.get(cluster.mapping.find("nodes")?, "", name).await.ok(),
    };
    // Absent where no kubelet measures.
    let pressure = match text(&pod, "/spec/nodeName") {
        "" => None,
        name => match cluster.mapping.find("nodepressures") {
            Ok(kind) => cluster.get(kind, "", name).await.ok(),
            Err(_) => None,
        },
    };
    let mut sheet = Sheet::new(Timestamp::now());
    write(&mut sheet, &pod, &found, node.as_ref(), pressure.as_ref());
    out::text(&sheet.text());
    Ok(ExitCode::SUCCESS)
}

fn write(sheet: &mut Sheet, pod: &Value, found: &[Value], node: Option<&Value>, pressure: Option<&Value>) {
    let (kind, name) = (text(pod, "/kind").to_lowercase(), text(pod, "/metadata/name"));
    sheet.line(0, format!("{kind}/{name}: {}", findings::headline(pod, found)));
    let mut facts = findings::facts(pod, node, sheet.now);
    facts.extend(stalls::facts(pod, pressure));
    if !facts.is_empty() {
        sheet.line(0, "");
        facts.iter().for_each(|(what, why)| sheet.line(1, format!("{what}\t{why}")));
    }
    sheet.cut();
    sheet.line(0, "");
    events::write(sheet, &found[found.len().saturating_sub(EVENTS)..]);
    let next = findings::advice(pod, found);
    if !next.is_empty() {
        sheet.cut();
        sheet.line(0, "");
        next.iter().for_each(|line| sheet.line(0, format!("Next: {line}")));
    }
}
