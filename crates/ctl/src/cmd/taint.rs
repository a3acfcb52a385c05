//! `taint`: keeps pods off nodes.

use std::process::ExitCode;

use nakhoda_client::Patch;
use serde_json::{Value, json};

use crate::cluster::{items, text};
use crate::manifest::Files;
use crate::targets::{self, Item, Outcomes, Select};
use crate::{Cluster, Context, Error};

/// Update the taints of nodes
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  ctl taint nodes node-1 dedicated=db:NoSchedule\n  ctl taint nodes node-1 dedicated-")]
pub struct Args {
    /// nodes NAME…, then KEY=VALUE:EFFECT to set, KEY:EFFECT- or KEY- to remove
    #[arg(required = true, value_name = "NODE | KEY=VALUE:EFFECT | KEY-")]
    words: Vec<String>,
    /// Taints that are there may be replaced
    #[arg(long)]
    overwrite: bool,
    #[command(flatten)]
    select: Select,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Change {
    Set { key: String, value: String, effect: String },
    Remove { key: String, effect: Option<String> },
}

/// Runs the command.
pub async fn run(args: Args, context: &Context) -> Result<ExitCode, Error> {
    let is_change = |word: &String| word.contains([':', '=']) || word.ends_with('-');
    let (changes, what): (Vec<String>, Vec<String>) = args.words.iter().cloned().partition(is_change);
    let changes = changes.iter().map(|word| Change::parse(word)).collect::<Result<Vec<_>, _>>()?;
    if changes.is_empty() {
        return Err(Error::Usage("at least one taint update is required".into()));
    }
    let cluster = Cluster::load(context).await?;
    let mut outcomes = Outcomes::default();
    for node in targets::items(&cluster, &what, &Files::default(), &args.select).await? {
        outcomes.take(taint(&cluster, &node, &changes, args.overwrite).await);
    }
    Ok(outcomes.code())
}

async fn taint(cluster: &Cluster, node: &Item, changes: &[Change], overwrite: bool) -> Result<(), Error> {
    let object = node.get(cluster).await?;
    let before: Vec<Value> = items(&object, "/spec/taints").cloned().collect();
    let after = changed(&before, changes, overwrite).map_err(|why| Error::Usage(format!("node {} {why}", node.name)))?;
    let patch = json!({"metadata": {"resourceVersion": object["metadata"]["resourceVersion"]}, "spec": {"taints": after}});
    node.api(cluster).patch(&node.name, &Patch::merge(&patch)).await?;
    let sets = changes.iter().any(|change| matches!(change, Change::Set { .. }));
    let removes = changes.iter().any(|change| matches!(change, Change::Remove { .. }));
    let word = match (sets, removes) {
        (true, true) => "modified",
        (true, false) => "tainted",
        _ => "untainted",
    };
    crate::say!("{} {word}", node.printed());
    Ok(())
}

// === impl Change ===

impl Change {
    fn parse(word: &str) -> Result<Self, Error> {
        if let Some(word) = word.strip_suffix('-') {
            let (key, effect) = word.split_once(':').map_or((word, None), |(key, effect)| (key, Some(effect)));
            let key = key.split('=').next().unwrap_or(key);
            return Ok(Self::Remove { key: key.into(), effect: effect.map(Into::into) });
        }
        let invalid = || Error::Usage(format!("invalid taint spec: {word}, write KEY=VALUE:EFFECT or KEY:EFFECT"));
        let (pair, effect) = word.rsplit_once(':').ok_or_else(invalid)?;
        if !matches!(effect, "NoSchedule" | "PreferNoSchedule" | "NoExecute") {
            return Err(Error::Usage(format!("invalid taint effect: {effect}, unsupported taint effect")));
        }
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        Ok(Self::Set { key: key.into(), value: value.into(), effect: effect.into() })
    }
}

fn changed(before: &[Value], changes: &[Change], overwrite: bool) -> Result<Vec<Value>, String> {
    let mut taints = before.to_vec();
    for change in changes {
        match change {
            Change::Remove { key, effect } => {
                let count = taints.len();
                taints.retain(|t| t["key"] != **key || effect.as_ref().is_some_and(|e| t["effect"] != **e));
                if taints.len() == count {
                    return Err(format!("does not have the taint {key:?}"));
                }
            }
            Change::Set { key, value, effect } => {
                let taint = json!({"key": key, "value": value, "effect": effect});
                match taints.iter_mut().find(|t| t["key"] == **key && t["effect"] == **effect) {
                    Some(old) if overwrite || text(old, "/value") == value => *old = taint,
                    Some(_) => return Err(format!("already has {key} taint(s) with same effect(s) and --overwrite is false")),
                    None => taints.push(taint),
                }
            }
        }
    }
    Ok(taints)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn taints_are_set_and_removed() {
        let set = Change::parse("a=b:NoSchedule").expect("a taint");
        let taints = changed(&[], std::slice::from_ref(&set), false).expect("new");
        assert_eq!(taints, [json!({"key": "a", "value": "b", "effect": "NoSchedule"})]);
        let other = Change::parse("a=c:NoSchedule").expect("a taint");
        assert!(changed(&taints, std::slice::from_ref(&other), false).is_err());
        assert!(changed(&taints, &[other], true).is_ok());
        assert_eq!(changed(&taints, &[Change::parse("a-").expect("a removal")], false), Ok(vec![]));
        assert!(changed(&[], &[Change::parse("a:NoSchedule-").expect("a removal")], false).is_err());
        assert!(Change::parse("a=b:Never").is_err());
    }
}
