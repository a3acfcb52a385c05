//! The registry of commands: one file and one line each.

use std::process::ExitCode;

use crate::{Context, Error};

/// Emits the modules, the choice and the dispatch of a command that has commands of its own.
macro_rules! actions {
    ($($file:ident => $name:ident),* $(,)?) => {
        $(pub mod $file;)*
        /// What is done.
        #[derive(Debug, clap::Subcommand)]
        #[allow(missing_docs, reason = "clap shows the text of the arguments' own type")]
        pub enum Action {
            $($name($file::Args),)*
        }

        impl Action {
            /// Does it.
            pub async fn run(self, context: &Context) -> Result<ExitCode, Error> {
                match self {
                    $(Self::$name(args) => $file::run(args, context).await,)*
                }
            }
        }
    };
}

/// Emits the modules, the command line and the dispatch from one list.
macro_rules! commands {
    ($($file:ident => $name:ident),* $(,)?) => {
        $(pub mod $file;)*
        /// Every command.
        #[derive(Debug, clap::Subcommand)]
        #[allow(missing_docs, reason = "clap shows the text of the arguments' own type")]
        pub enum Command {
            $($name($file::Args),)*
        }

        impl Command {
            /// Runs it.
            pub async fn run(self, context: &Context) -> Result<ExitCode, Error> {
                match self {
                    $(Self::$name(args) => $file::run(args, context).await,)*
                }
            }
        }
    };
}

commands! {
    annotate => Annotate,
    api_resources => ApiResources,
    api_versions => ApiVersions,
    apply => Apply,
    attach => Attach,
    auth => Auth,
    autoscale => Autoscale,
    cluster => Cluster,
    cluster_info => ClusterInfo,
    completion => Completion,
    cordon => Cordon,
    cp => Cp,
    create => Create,
    delete => Delete,
    describe => Describe,
    drain => Drain,
    edit => Edit,
    etcd => Etcd,
    exec => Exec,
    expose => Expose,
    get => Get,
    health => Health,
    image => Image,
    kubeconfig => Kubeconfig,
    label => Label,
    logs => Logs,
    man => Man,
    node => Node,
    open => Open,
    patch => Patch,
    pki => Pki,
    port_forward => PortForward,
    replace => Replace,
    rollout => Rollout,
    run => Run,
    scale => Scale,
    set => Set,
    taint => Taint,
    token => Token,
    top => Top,
    uncordon => Uncordon,
    version => Version,
    wait => Wait,
    why => Why,
}
