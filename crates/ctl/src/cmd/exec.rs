//! `exec`: a command in a container. Its exit code is ours.

use std::process::ExitCode;

use crate::cluster::text;
use crate::session::{self, Streams};
use crate::stream::{self, Place};
use crate::{Cluster, Context, Error, pods, targets};

/// Execute a command in a container
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  ctl exec -it web-0 -- sh\n  ctl exec -i deploy/web -- tar xf - < files.tar")]
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
    /// Only print output of the remote session
    #[arg(long, short)]
    quiet: bool,
    /// The command, after --
    #[arg(last = true, required = true, value_name = "COMMAND")]
    command: Vec<String>,
}

/// Runs the command.
pub async fn run(args: Args, context: &Context) -> Result<ExitCode, Error> {
    let cluster = Cluster::load(context).await?;
    let pod = pods::best(&cluster, &targets::one(&cluster, &args.what, "pods")?).await?;
    let phase = text(&pod, "/status/phase");
    if matches!(phase, "Succeeded" | "Failed") {
        return Err(Error::Usage(format!("cannot exec into a container in a completed pod; current phase is {phase}")));
    }
    let streams = Streams { stdin: args.stdin, tty: args.tty };
    let mut parameters = streams.parameters();
    parameters.push(("container", pods::container(&pod, args.container.as_deref())?));
    parameters.extend(args.command.into_iter().map(|word| ("command", word)));
    let place = Place {
        resource: "pods",
        namespace: text(&pod, "/metadata/namespace"),
        name: text(&pod, "/metadata/name"),
        subresource: "exec",
    };
    session::run(stream::open(&cluster.client, place, &parameters).await?, streams).await
}
