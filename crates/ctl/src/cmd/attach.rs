//! `attach`: this terminal joined to a container's own process.

use std::process::ExitCode;

use crate::cluster::text;
use crate::session::{self, Streams};
use crate::stream::{self, Place};
use crate::{Cluster, Context, Error, pods, targets};

/// Attach to a running container
#[derive(Debug, clap::Args)]
pub struct Args {
    /// POD or TYPE/NAME
    #[arg(value_name = "POD | TYPE/NAME")]
    what: String,
    /// Container; default: the pod's default or first one
    #[arg(long, short)]
    container: Option<String>,
    /// Pass standard input to the container
    #[arg(long, short = 'i')]
    stdin: bool,
    /// Standard input is a terminal
    #[arg(long, short)]
    tty: bool,
}

/// Runs the command.
pub async fn run(args: Args, context: &Context) -> Result<ExitCode, Error> {
    let cluster = Cluster::load(context).await?;
    let pod = pods::best(&cluster, &targets::one(&cluster, &args.what, "pods")?).await?;
    let streams = Streams { stdin: args.stdin, tty: args.tty };
    let mut parameters = streams.parameters();
    parameters.push(("container", pods::container(&pod, args.container.as_deref())?));
    let place = Place {
        resource: "pods",
        namespace: text(&pod, "/metadata/namespace"),
        name: text(&pod, "/metadata/name"),
        subresource: "attach",
    };
    if args.stdin && args.tty {
        eprintln!("If you don't see a command prompt, try pressing enter.");
    }
    session::run(stream::open(&cluster.client, place, &parameters).await?, streams).await
}
