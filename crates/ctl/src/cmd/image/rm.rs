//! `image rm`: takes images off nodes.

use std::process::ExitCode;

use futures::future::join_all;

use super::{Nodes, ask, report};
use crate::{Context, Error};

/// Remove images from nodes
#[derive(Debug, clap::Args)]
#[command(visible_alias = "remove")]
pub struct Args {
    /// Names of images
    #[arg(required = true, value_name = "IMAGE")]
    images: Vec<String>,
    #[command(flatten)]
    nodes: Nodes,
}

/// Runs the command. A node that does not have an image is no failure as long as another one has it.
pub async fn run(args: Args, context: &Context) -> Result<ExitCode, Error> {
    let client = context.client()?;
    let nodes = args.nodes.select(&client).await?;
    let mut failed = false;
    for image in &args.images {
        let parameters = [("action", "remove".to_owned()), ("name", image.clone())];
        let removals = nodes.iter().map(|node| async {
            (node.clone(), ask(&client, node, &parameters).await.map(|_| format!("removed {image}")))
        });
        let mut outcomes = join_all(removals).await;
        if outcomes.iter().any(|(_, outcome)| outcome.is_ok()) {
            outcomes.retain(|(_, outcome)| !outcome.as_ref().is_err_and(Error::is_not_found));
        }
        failed |= report(outcomes) != ExitCode::SUCCESS;
    }
    Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}
