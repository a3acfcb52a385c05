//! `rollout history`: which versions a workload had.

use std::collections::BTreeMap;
use std::process::ExitCode;

use jiff::Timestamp;

use super::Workloads;
use crate::describe::sheet::Sheet;
use crate::describe::template;
use crate::output::out;
use crate::revisions::{self, Revision};
use crate::{Cluster, Context, Error};

/// View the history of a rollout
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    workloads: Workloads,
    /// Show the template of this revision
    #[arg(long, default_value_t = 0, hide_default_value = true)]
    revision: u64,
}

/// Runs the command.
pub async fn run(args: Args, context: &Context) -> Result<ExitCode, Error> {
    let cluster = Cluster::load(context).await?;
    for (item, object) in args.workloads.load(&cluster).await? {
        let all = revisions::of(&cluster, &item, &object).await?;
        let mut sheet = Sheet::new(Timestamp::now());
        let suffix = match args.revision {
            0 => {
                listed(&mut sheet, &all);
                String::new()
            }
            number => {
                let missing = || Error::Usage("unable to find the specified revision".into());
                template::write(&mut sheet, &all.get(&number).ok_or_else(missing)?.template);
                format!("with revision #{number}")
            }
        };
        out::text(&format!("{} {suffix}\n{}\n", item.printed(), sheet.text()));
    }
    Ok(ExitCode::SUCCESS)
}

fn listed(sheet: &mut Sheet, all: &BTreeMap<u64, Revision>) {
    if all.is_empty() {
        sheet.line(0, "No rollout history found.");
        return;
    }
    sheet.line(0, "REVISION\tCHANGE-CAUSE");
    all.iter().for_each(|(number, revision)| sheet.line(0, format!("{number}\t{}", revision.cause())));
}
