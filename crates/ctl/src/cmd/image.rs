//! `image`: images on nodes, without a registry.

use std::process::ExitCode;

use k8s_openapi::api::core::v1::Node;
use nakhoda_client::{Client, Resource, Selection};

use crate::{Context, Error};

actions! {
    build => Build,
    load => Load,
    ls => Ls,
    rm => Rm,
}

/// Build, load, list and remove images on nodes, without a registry
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

/// Runs the command.
pub async fn run(args: Args, context: &Context) -> Result<ExitCode, Error> {
    args.action.run(context).await
}

/// Which nodes are meant.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct Nodes {
    /// On these nodes only (repeat, or separate by commas); default: all
    #[arg(long = "node", value_name = "NODE", value_delimiter = ',')]
    names: Vec<String>,
}

// === impl Nodes ===

impl Nodes {
    /// Their names, in order.
    pub async fn select(&self, client: &Client) -> Result<Vec<String>, Error> {
        let api = client.all::<Node>();
        let mut names = Vec::new();
        for name in &self.names {
            names.push(api.get(name).await?.name().to_owned());
        }
        if names.is_empty() {
            names.extend(api.list(&Selection::default()).await?.items.iter().map(|node| node.name().to_owned()));
        }
        names.sort();
        names.dedup();
        if names.is_empty() { Err(Error::Usage("the cluster has no nodes".into())) } else { Ok(names) }
    }
}

/// Says for each node what became of it; success only if all succeeded.
pub(super) fn report(outcomes: Vec<(String, Result<String, Error>)>) -> ExitCode {
    let mut code = ExitCode::SUCCESS;
    for (node, outcome) in outcomes {
        match outcome {
            Ok(text) => crate::say!("{node}: {text}"),
            Err(error) => {
                code = ExitCode::FAILURE;
                eprintln!("{node}: {}", crate::error::sentence(&error));
            }
        }
    }
    code
}

/// The place of a node's images.
pub(super) const fn place(node: &str) -> crate::stream::Place<'_> {
    crate::stream::Place { resource: "nodes", namespace: "", name: node, subresource: "images" }
}

/// Asks a node something with a short answer.
pub(super) async fn ask(client: &Client, node: &str, parameters: &[(&str, String)]) -> Result<serde_json::Value, Error> {
    let answer = crate::stream::read(crate::stream::open(client, place(node), parameters).await?).await?;
    serde_json::from_slice(&answer).map_err(Error::Answer)
}
