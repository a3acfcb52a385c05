//! The `scheduler` daemon.

use clap::Parser;

fn main() -> std::process::ExitCode {
    nakhoda_scheduler::run(nakhoda_scheduler::Options::parse())
}
