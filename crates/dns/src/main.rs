//! `dns`: the cluster's name server.

use clap::Parser;

fn main() -> std::process::ExitCode {
    nakhoda_dns::run(nakhoda_dns::Options::parse())
}
