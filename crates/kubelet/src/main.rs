//! The kubelet.

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    nakhoda_kubelet::run(nakhoda_kubelet::Options::parse())
}
