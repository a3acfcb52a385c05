//! `set`: single features of objects.

use std::process::ExitCode;

use crate::{Context, Error};

actions! {
    env => Env,
    image => Image,
}

/// Set specific features on objects
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

/// Runs the command.
pub async fn run(args: Args, context: &Context) -> Result<ExitCode, Error> {
    args.action.run(context).await
}

/// The pod specification of an object, and the path to it.
pub(super) fn pod_spec(object: &serde_json::Value) -> (&'static str, &serde_json::Value) {
    match object.pointer("/spec/template/spec") {
        Some(spec) => ("/spec/template/spec", spec),
        None => ("/spec", &object["spec"]),
    }
}

/// A patch of that specification.
pub(super) fn at(path: &str, inner: serde_json::Value) -> serde_json::Value {
    let steps = path.split('/').filter(|step| !step.is_empty());
    steps.rev().fold(inner, |value, step| serde_json::json!({step: value}))
}

/// `NAME=VALUE` words and what stands before them.
pub(super) fn split(words: &[String]) -> (Vec<String>, Vec<String>) {
    words.iter().cloned().partition(|word| !word.contains('=') && !word.ends_with('-'))
}
