//! `health`: whether the API server answers and lets this user in.

use std::process::ExitCode;

use k8s_openapi::api::core::v1::Namespace;

use crate::{Context, Error};

/// Tell whether the API server is ready; exit code 1 if not
#[derive(Debug, clap::Args)]
pub struct Args {}

/// Runs the command: the namespace `default` is there once the server has made what every cluster has.
pub async fn run(_: Args, context: &Context) -> Result<ExitCode, Error> {
    context.client()?.all::<Namespace>().get("default").await?;
    crate::say!("ok");
    Ok(ExitCode::SUCCESS)
}
