//! `pki rotate-ca`: a new authority in the place of an old one, a step with each run.

use std::process::ExitCode;

use nakhoda_daemon::pki::upkeep::rotate::Step;

use super::Folder;
use crate::{Context, Error, say};

/// Put a new authority in the place of an old one: run it three times, and wait in between
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Which one
    #[arg(default_value = "ca", value_parser = nakhoda_daemon::pki::upkeep::AUTHORITIES)]
    authority: String,
    #[command(flatten)]
    folder: Folder,
}

/// Runs the command.
pub async fn run(args: Args, _: &Context) -> Result<ExitCode, Error> {
    let step = args.folder.open().rotate(&args.authority)?;
    let etcd = args.authority == "etcd/ca";
    say!("{}", told(&args.authority, step));
    if etcd && step != Step::Dropped {
        say!("etcd reads its authorities only when it starts: restart its members before that, one after the other.");
    }
    Ok(ExitCode::SUCCESS)
}

fn told(authority: &str, step: Step) -> String {
    let next = format!("ctl pki rotate-ca {authority}");
    match step {
        Step::Announced => format!(
            "1 of 3: a new {authority} is believed beside the old one. When every daemon and node has read that (a \
             minute; nodes that are away: when they are back), go on: {next}"
        ),
        Step::Changed => format!(
            "2 of 3: the new {authority} signs, and all certificates here are new; the old one is still believed. When \
             the nodes have renewed theirs (a minute) and you have copied admin.conf to where it is used, go on: {next}"
        ),
        Step::Dropped => format!("3 of 3: the old {authority} is believed no more."),
    }
}
