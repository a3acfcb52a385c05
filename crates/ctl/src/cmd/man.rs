//! `man`: manual pages, made from the command tree.

use std::path::PathBuf;
use std::process::ExitCode;

use crate::output::out;
use crate::{Context, Error};

/// Print the manual page, or write one for each command into a directory
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Where the pages go
    #[arg(long, value_name = "DIR")]
    output_dir: Option<PathBuf>,
}

/// Runs the command.
pub async fn run(args: Args, _: &Context) -> Result<ExitCode, Error> {
    let failed = |source| Error::Local { what: "cannot write the manual".into(), source };
    match args.output_dir {
        Some(directory) => {
            std::fs::create_dir_all(&directory).map_err(failed)?;
            clap_mangen::generate_to(crate::command(), directory).map_err(failed)?;
        }
        None => {
            let mut page = Vec::new();
            clap_mangen::Man::new(crate::command()).render(&mut page).map_err(failed)?;
            out::bytes(&page);
        }
    }
    Ok(ExitCode::SUCCESS)
}
