//! The API server's process.

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    nakhoda_apiserver::run(nakhoda_apiserver::Options::parse())
}
