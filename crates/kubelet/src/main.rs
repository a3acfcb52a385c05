//! The kubelet.

use std::process::ExitCode;

fn main() -> ExitCode {
    match nakhoda_kubelet::config::parse(std::env::args_os().collect()) {
        Ok(options) => nakhoda_kubelet::run(options),
        Err(error) => error.exit(),
    }
}
