//! The controller-manager's process.

use clap::Parser;

fn main() -> std::process::ExitCode {
    nakhoda_daemon::ask::command("http://127.0.0.1:10257/healthz")
        .unwrap_or_else(|| nakhoda_controller_manager::run(nakhoda_controller_manager::Options::parse()))
}
