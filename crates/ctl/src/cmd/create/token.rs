//! `create token`: a token of a service account.

use std::process::ExitCode;
use std::time::Duration;

use serde_json::{Value, json};

use crate::output::{Format, out};
use crate::{Cluster, Context, Error, wait};

/// Request a token of a service account
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The service account
    name: String,
    /// How long the token shall be valid; default: the server chooses
    #[arg(long, value_parser = wait::duration)]
    duration: Option<Duration>,
    /// Whom the token is for (repeat); default: the API server
    #[arg(long)]
    audience: Vec<String>,
    /// Kind of an object that the token's life is bound to: Pod, Secret or Node
    #[arg(long, requires = "bound_object_name")]
    bound_object_kind: Option<String>,
    /// Name of that object
    #[arg(long, requires = "bound_object_kind")]
    bound_object_name: Option<String>,
    /// UID of that object
    #[arg(long)]
    bound_object_uid: Option<String>,
    /// Output format: json, yaml; default: the token alone
    #[arg(long, short)]
    output: Option<String>,
}

/// Runs the command.
pub async fn run(args: Args, context: &Context) -> Result<ExitCode, Error> {
    let format = args.output.as_deref().map(|text| Format::parse(Some(text))).transpose()?;
    let cluster = Cluster::load(context).await?;
    let api = cluster.api(cluster.mapping.find("serviceaccounts")?, &cluster.namespace);
    let answer: Value = api.create_sub(&args.name, "token", &request(&args)).await?;
    match format {
        Some(format) => out::text(&format.text(&answer, &|_| format!("serviceaccount/{}", args.name))?),
        None => crate::say!("{}", answer["status"]["token"].as_str().unwrap_or_default()),
    }
    Ok(ExitCode::SUCCESS)
}

fn request(args: &Args) -> Value {
    let mut spec = json!({"audiences": args.audience});
    if let Some(duration) = args.duration {
        spec["expirationSeconds"] = duration.as_secs().into();
    }
    if let Some(kind) = &args.bound_object_kind {
        let mut bound = json!({"kind": kind, "apiVersion": "v1", "name": args.bound_object_name});
        if let Some(uid) = &args.bound_object_uid {
            bound["uid"] = uid.clone().into();
        }
        spec["boundObjectRef"] = bound;
    }
    json!({"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "metadata": {}, "spec": spec})
}
