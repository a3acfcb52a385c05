//! `run`: one pod of an image.

use std::process::ExitCode;
use std::time::Duration;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::DeleteOptions;
use serde_json::{Value, json};

use crate::report::Writing;
use crate::session::{self, Streams};
use crate::stream::{self, Place};
use crate::targets::Item;
use crate::{Cluster, Context, Error, wait};

/// Create and run an image in a pod
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  ctl run web --image=hello-flask:1 --port=5000\n  ctl run -it --rm shell --image=hello-flask:1 -- sh")]
pub struct Args {
    name: String,
    /// The image
    #[arg(long)]
    image: String,
    /// The port that the container listens on
    #[arg(long)]
    port: Option<u16>,
    /// Environment variables, NAME=VALUE (repeat)
    #[arg(long)]
    env: Vec<String>,
    /// Labels, KEY=VALUE (repeat, or separate by commas); default: run=NAME
    #[arg(long, short, value_delimiter = ',')]
    labels: Vec<String>,
    /// Always, OnFailure or Never
    #[arg(long, default_value = "Always")]
    restart: String,
    /// Always, IfNotPresent or Never
    #[arg(long)]
    image_pull_policy: Option<String>,
    /// The words replace the image's entry point rather than its arguments
    #[arg(long)]
    command: bool,
    /// Keep standard input open, and attach
    #[arg(long, short = 'i')]
    stdin: bool,
    /// Standard input is a terminal
    #[arg(long, short)]
    tty: bool,
    /// Attach to the pod
    #[arg(long)]
    attach: bool,
    /// Delete the pod when the session is over
    #[arg(long)]
    rm: bool,
    /// How long the pod may take to run, before attaching
    #[arg(long, value_parser = wait::duration, default_value = "60s")]
    pod_running_timeout: Duration,
    /// Arguments of the container
    #[arg(last = true)]
    words: Vec<String>,
    #[command(flatten)]
    writing: Writing,
}

/// Runs the command.
pub async fn run(args: Args, context: &Context) -> Result<ExitCode, Error> {
    let attach = args.attach || args.stdin;
    if args.rm && !attach {
        return Err(Error::Usage("--rm should only be used for attached containers".into()));
    }
    if args.tty && !args.stdin {
        return Err(Error::Usage("-i/--stdin is required for containers with -t/--tty=true".into()));
    }
    let (cluster, report) = super::create::prepare(&args.writing, context).await?;
    let item = Item::of(&cluster, pod(&args)?)?;
    let made = super::create::make(&cluster, &item, &args.writing).await?;
    if !attach || args.writing.is_local() {
        report.done(&item.resource, &made, "created")?;
        return Ok(ExitCode::SUCCESS);
    }
    let outcome = attached(&cluster, &item, &args).await;
    if args.rm {
        item.api(&cluster).delete(&item.name, &DeleteOptions::default()).await?;
        eprintln!("{} {:?} deleted from {} namespace", item.resource.printed(), item.name, item.namespace);
    }
    outcome
}

async fn attached(cluster: &Cluster, item: &Item, args: &Args) -> Result<ExitCode, Error> {
    let started = |object: Option<&Value>| {
        let phase = object.map_or("", |object| crate::cluster::text(object, "/status/phase"));
        Ok(matches!(phase, "Running" | "Succeeded" | "Failed"))
    };
    wait::until(cluster, item, Some(args.pod_running_timeout), started).await?;
    let streams = Streams { stdin: args.stdin, tty: args.tty };
    let mut parameters = streams.parameters();
    parameters.push(("container", args.name.clone()));
    let place = Place { resource: "pods", namespace: &item.namespace, name: &item.name, subresource: "attach" };
    session::run(stream::open(&cluster.client, place, &parameters).await?, streams).await
}

fn pod(args: &Args) -> Result<Value, Error> {
    let pair = |text: &String| match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err(Error::Usage(format!("{text:?} is not KEY=VALUE"))),
    };
    let mut container = json!({"name": args.name, "image": args.image});
    if let Some(policy) = &args.image_pull_policy {
        container["imagePullPolicy"] = policy.clone().into();
    }
    if let Some(port) = args.port {
        container["ports"] = json!([{"containerPort": port}]);
    }
    if !args.words.is_empty() {
        container[if args.command { "command" } else { "args" }] = json!(args.words);
    }
    let env = args.env.iter().map(pair).collect::<Result<Vec<_>, _>>()?;
    if !env.is_empty() {
        container["env"] = env.into_iter().map(|(name, value)| json!({"name": name, "value": value})).collect();
    }
    if args.stdin {
        container["stdin"] = true.into();
        container["stdinOnce"] = true.into();
        container["tty"] = args.tty.into();
    }
    let mut labels = serde_json::Map::new();
    for label in &args.labels {
        let (key, value) = pair(label)?;
        labels.insert(key, value.into());
    }
    if labels.is_empty() {
        labels.insert("run".into(), args.name.clone().into());
    }
    Ok(json!({
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": args.name, "labels": labels},
        "spec": {"containers": [container], "restartPolicy": args.restart},
    }))
}
