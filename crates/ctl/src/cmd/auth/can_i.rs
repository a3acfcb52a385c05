//! `auth can-i`: whether the server would allow it.

use std::process::ExitCode;

use nakhoda_api::Object;
use serde_json::{Value, json};

use crate::{Cluster, Context, Error};

mod list;

/// Check whether an action is allowed
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  ctl auth can-i create deployments")]
pub struct Args {
    /// The verb
    #[arg(required_unless_present = "list")]
    verb: Option<String>,
    /// A resource, or TYPE/NAME, or a path as /healthz
    #[arg(required_unless_present = "list")]
    resource: Option<String>,
    /// The name of the object
    name: Option<String>,
    /// For example log, of pods
    #[arg(long, default_value = "", hide_default_value = true)]
    subresource: String,
    /// In all namespaces
    #[arg(long, short = 'A')]
    all_namespaces: bool,
    /// List all that is allowed, in the namespace
    #[arg(long, conflicts_with_all = ["verb", "all_namespaces", "subresource", "quiet"])]
    list: bool,
    /// No headers, of a list
    #[arg(long, requires = "list")]
    no_headers: bool,
    /// Say nothing, only exit
    #[arg(long, short)]
    quiet: bool,
}

/// Runs the command: exit code 1 means no.
pub async fn run(args: Args, context: &Context) -> Result<ExitCode, Error> {
    let cluster = Cluster::load(context).await?;
    if args.list {
        return list::run(&cluster, args.no_headers).await;
    }
    let review = json!({
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "metadata": {},
        "spec": attributes(&args, &cluster),
    });
    let api = cluster.api(cluster.resource_of(&review)?, "");
    let review = Object::from_value(review).map_err(|e| Error::Usage(e.to_string()))?;
    let answer = api.create(&review).await?.into_value();
    let allowed = answer["status"]["allowed"] == true;
    if !args.quiet {
        let reason = answer["status"]["reason"].as_str().filter(|reason| !reason.is_empty() && !allowed);
        let reason = reason.map_or_else(String::new, |reason| format!(" - {reason}"));
        crate::say!("{}{reason}", if allowed { "yes" } else { "no" });
    }
    Ok(if allowed { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn attributes(args: &Args, cluster: &Cluster) -> Value {
    let asked = args.resource.as_deref().unwrap_or_default();
    if asked.starts_with('/') {
        return json!({"nonResourceAttributes": {"verb": args.verb, "path": asked}});
    }
    let (word, name) = match (asked.split_once('/'), &args.name) {
        (Some((word, name)), _) => (word, name.to_owned()),
        (None, name) => (asked, name.clone().unwrap_or_default()),
    };
    // what the server does not serve may be allowed all the same
    let (group, resource) = match cluster.mapping.find(word) {
        Ok(found) => (found.gvr.group.clone(), found.gvr.resource.clone()),
        Err(_) => (String::new(), word.to_owned()),
    };
    let namespace = if args.all_namespaces { "" } else { &cluster.namespace };
    json!({"resourceAttributes": {
        "verb": args.verb, "group": group, "resource": resource, "name": name,
        "subresource": args.subresource, "namespace": namespace,
    }})
}
