//! `pki`: certificates, keys and kubeconfigs of a cluster, in a folder.

use std::path::PathBuf;
use std::process::ExitCode;

use nakhoda_daemon::pki::layout;

use crate::{Context, Error};

actions! {
    init => Init,
    node => Node,
    renew => Renew,
    rotate_ca => RotateCa,
    status => Status,
}

/// Make the certificates, keys and kubeconfigs of a cluster, and keep them fresh
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

/// Where they are.
#[derive(Debug, clap::Args)]
pub struct Folder {
    /// Folder of the certificates
    #[arg(long)]
    dir: PathBuf,
}

/// Runs the command.
pub async fn run(args: Args, context: &Context) -> Result<ExitCode, Error> {
    args.action.run(context).await
}

// === impl Folder ===

impl Folder {
    fn open(&self) -> layout::Folder {
        layout::Folder::new(&self.dir)
    }
}
