//! `token delete`: nobody joins by a token any more.

use std::process::ExitCode;

use nakhoda_api::kinds::core::Secret;
use nakhoda_api::kinds::meta::DeleteOptions;

use super::{NAMESPACE, PREFIX};
use crate::{Context, Error};

/// Delete tokens
#[derive(Debug, clap::Args)]
pub struct Args {
    /// IDs of tokens, or whole tokens
    #[arg(required = true, value_name = "ID")]
    ids: Vec<String>,
}

/// Runs the command.
pub async fn run(args: Args, context: &Context) -> Result<ExitCode, Error> {
    let api = context.client()?.namespaced::<Secret>(NAMESPACE);
    for id in &args.ids {
        let id = id.split('.').next().unwrap_or_default();
        api.delete(&format!("{PREFIX}{id}"), &DeleteOptions::default()).await?;
        crate::say!("token \"{id}\" deleted");
    }
    Ok(ExitCode::SUCCESS)
}
