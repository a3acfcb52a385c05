//! `proxy`: makes Services answer on a node.

use clap::Parser;

fn main() -> std::process::ExitCode {
    nakhoda_proxy::run(nakhoda_proxy::Options::parse())
}
