//! `cluster-info`: where the API server is.

use std::process::ExitCode;

use crate::{Context, Error};

/// Print the address of the control plane
#[derive(Debug, clap::Args)]
pub struct Args {}

/// Runs the command.
pub async fn run(_: Args, context: &Context) -> Result<ExitCode, Error> {
    let config = context.config()?;
    context.client()?.discover().await?;
    for address in config.addresses() {
        crate::say!("Kubernetes control plane is running at https://{}:{}", address.host, address.port);
    }
    Ok(ExitCode::SUCCESS)
}
