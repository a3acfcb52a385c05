//! The `scheduler` daemon.

use clap::Parser;

fn main() -> std::process::ExitCode {
    nakhoda_daemon::ask::command("http://127.0.0.1:10259/healthz")
        .unwrap_or_else(|| nakhoda_scheduler::run(nakhoda_scheduler::Options::parse()))
}
