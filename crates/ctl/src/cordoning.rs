//! Marking nodes as unschedulable, and back.

use nakhoda_client::Patch;
use serde_json::json;

use crate::cluster::Cluster;
use crate::manifest::Files;
use crate::targets::{self, Item, Outcomes, Select};
use crate::{Context, Error};

/// Which nodes.
#[derive(Debug, clap::Args)]
pub struct Nodes {
    /// Names of nodes
    #[arg(value_name = "NODE")]
    names: Vec<String>,
    /// Label selector
    #[arg(long, short = 'l', default_value = "", hide_default_value = true)]
    selector: String,
}

// === impl Nodes ===

impl Nodes {
    /// Each of them.
    pub async fn load(&self, cluster: &Cluster) -> Result<Vec<Item>, Error> {
        if self.names.is_empty() && self.selector.is_empty() {
            return Err(Error::Usage("at least one node, or a selector, must be given".into()));
        }
        let mut words = vec!["nodes".to_owned()];
        words.extend(
            self.names.iter().map(|name| name.trim_start_matches("node/").trim_start_matches("nodes/").to_owned()),
        );
        let select = Select { selector: self.selector.clone(), ..Select::default() };
        targets::items(cluster, &words, &Files::default(), &select).await
    }
}

/// Marks nodes and says so.
pub async fn run(nodes: &Nodes, context: &Context, cordoned: bool) -> Result<std::process::ExitCode, Error> {
    let cluster = Cluster::load(context).await?;
    let mut outcomes = Outcomes::default();
    for node in nodes.load(&cluster).await? {
        outcomes.take(mark(&cluster, &node, cordoned).await);
    }
    Ok(outcomes.code())
}

/// Marks one node.
pub async fn mark(cluster: &Cluster, node: &Item, cordoned: bool) -> Result<(), Error> {
    let object = node.get(cluster).await?;
    let word = if cordoned { "cordoned" } else { "uncordoned" };
    if (object["spec"]["unschedulable"] == true) == cordoned {
        crate::say!("{} already {word}", node.printed());
        return Ok(());
    }
    let value = if cordoned { json!(true) } else { json!(null) };
    let patch = Patch::merge(&json!({"spec": {"unschedulable": value}}));
    node.api(cluster).patch(&node.name, &patch).await?;
    crate::say!("{} {word}", node.printed());
    Ok(())
}
