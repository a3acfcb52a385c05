//! The controller-manager's process.

use clap::Parser;

fn main() -> std::process::ExitCode {
    nakhoda_controller_manager::run(nakhoda_controller_manager::Options::parse())
}
