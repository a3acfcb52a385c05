//! `token list`: which tokens there are; never their secrets.

use std::process::ExitCode;

use nakhoda_api::kinds::core::Secret;
use nakhoda_client::{Resource, Selection};

use super::{NAMESPACE, PREFIX, TYPE};
use crate::{Context, Error};

/// List the tokens
#[derive(Debug, clap::Args)]
pub struct Args {}

/// Runs the command.
pub async fn run(_: Args, context: &Context) -> Result<ExitCode, Error> {
    let of_type = Selection::fields(format!("type={TYPE}"));
    let listed = context.client()?.namespaced::<Secret>(NAMESPACE).list(&of_type).await?;
    crate::say!("{:<8} {:<22} DESCRIPTION", "ID", "EXPIRES");
    for secret in listed.items {
        let text = |key: &str| {
            let value = secret.data.as_ref().and_then(|data| data.get(key));
            value.map(|value| String::from_utf8_lossy(&value.0).into_owned())
        };
        let id = secret.name().strip_prefix(PREFIX).unwrap_or_default();
        let until = text("expiration").unwrap_or_else(|| "never".into());
        crate::say!("{id:<8} {until:<22} {}", text("description").unwrap_or_default());
    }
    Ok(ExitCode::SUCCESS)
}
