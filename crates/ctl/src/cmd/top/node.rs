//! `top node`.

use std::process::ExitCode;

use nakhoda_api::kinds::core::Node;
use nakhoda_api::kinds::metrics::NodeMetrics;
use nakhoda_client::{Resource, Selection};

use super::{Amounts, SortBy, bytes, cores, print, share};
use crate::{Context, Error};

const HEADS: [&str; 5] = ["NAME", "CPU(cores)", "CPU(%)", "MEMORY(bytes)", "MEMORY(%)"];

/// Show what nodes use
#[derive(Debug, clap::Args)]
#[command(visible_aliases = ["nodes", "no"])]
pub struct Args {
    /// The node; default: all
    name: Option<String>,
    /// Only nodes with these labels
    #[arg(long, short = 'l', default_value = "", hide_default_value = true, conflicts_with = "name")]
    selector: String,
    /// cpu or memory
    #[arg(long)]
    sort_by: Option<SortBy>,
    /// No head line
    #[arg(long)]
    no_headers: bool,
    /// Shares of what the nodes have, not of what they can give to pods
    #[arg(long)]
    show_capacity: bool,
}

/// Runs the command.
pub async fn run(args: Args, context: &Context) -> Result<ExitCode, Error> {
    let client = context.client()?;
    let selection = Selection { labels: args.selector.clone(), ..Selection::default() };
    let (mut used, nodes) = match &args.name {
        Some(name) => {
            let used = client.all::<NodeMetrics>().get(name).await?;
            (vec![used], vec![client.all::<Node>().get(name).await?])
        }
        None => {
            let used = client.all::<NodeMetrics>().list(&selection).await?.items;
            (used, client.all::<Node>().list(&selection).await?.items)
        }
    };
    if used.is_empty() {
        return Err(Error::Usage("metrics not available yet".into()));
    }
    used.sort_by_key(|node| (SortBy::key(args.sort_by, &node.usage), node.name().to_owned()));
    let there = |node: &Node| -> Amounts {
        let status = node.status.clone().unwrap_or_default();
        let amounts = if args.show_capacity { status.capacity } else { status.allocatable };
        amounts.unwrap_or_default()
    };
    let measured = used.iter().map(|of| {
        let there = nodes.iter().find(|node| node.name() == of.name()).map(&there).unwrap_or_default();
        let shares = ["cpu", "memory"].map(|resource| share(&of.usage, &there, resource));
        let [cpu, memory] = shares;
        vec![of.name().to_owned(), cores(&of.usage), cpu, bytes(&of.usage), memory]
    });
    let silent = nodes.iter().filter(|node| used.iter().all(|of| of.name() != node.name()));
    let unknown = silent.map(|node| [node.name()].into_iter().chain(["<unknown>"; 4]).map(str::to_owned).collect());
    print(&HEADS, measured.chain(unknown).collect(), args.no_headers);
    Ok(ExitCode::SUCCESS)
}
