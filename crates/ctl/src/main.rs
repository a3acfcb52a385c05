//! `ctl`: drives a cluster from the command line.

fn main() -> std::process::ExitCode {
    nakhoda_ctl::run()
}
