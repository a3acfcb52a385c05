//! `pki renew`: new certificates in place of those that have lived most of their life. Who uses them reads them
//! anew by itself.

use std::process::ExitCode;
use std::time::{Duration, SystemTime};

use nakhoda_daemon::pki::layout;
use nakhoda_daemon::pki::upkeep::Certificate;

use super::Folder;
use crate::{Context, Error, say};

/// A certificate that appears in the meantime is seen after so long.
const LONGEST: Duration = Duration::from_secs(3600);

/// Renew certificates that have lived 70 % of their life; authorities are never touched
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    folder: Folder,
    /// All of them, however young
    #[arg(long)]
    all: bool,
    /// Go on for ever: each when it is due
    #[arg(long, conflicts_with = "all")]
    keep: bool,
}

/// Runs the command.
pub async fn run(args: Args, _: &Context) -> Result<ExitCode, Error> {
    let folder = args.folder.open();
    renew(&folder, args.all)?;
    if !args.keep {
        return Ok(ExitCode::SUCCESS);
    }
    loop {
        let due = folder.certificates()?.iter().filter(|c| !c.signs).map(Certificate::due).min();
        let pause = due.map_or(LONGEST, |due| due.duration_since(SystemTime::now()).unwrap_or_default());
        tokio::time::sleep(pause.min(LONGEST)).await;
        renew(&folder, false)?;
    }
}

fn renew(folder: &layout::Folder, all: bool) -> Result<(), Error> {
    let now = SystemTime::now();
    for leaf in folder.renew(|leaf| all || leaf.due() <= now)? {
        say!("{} renewed", leaf.file.display());
    }
    Ok(())
}
