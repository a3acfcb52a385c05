//! Runs the pods of one node through containerd.
//!
//! Architecture invariants: [`cri`] alone knows the Container Runtime Interface and [`containerd`]
//! alone containerd's own API; what to do with a pod is decided by pure functions over what was
//! observed; one task per pod; the status manager alone writes statuses.

pub mod app;
pub mod cgroup;
pub mod cni;
pub mod config;
pub mod containerd;
pub mod cri;
pub mod dns;
pub mod downward;
pub mod env;
pub mod eviction;
pub mod host;
pub mod hosts;
pub mod image;
mod join;
pub mod labels;
pub mod log;
pub mod node;
pub mod options;
pub mod pause;
pub mod pod;
pub mod preflight;
pub mod pressure;
pub mod probe;
pub mod resources;
pub mod server;
pub mod source;
pub mod usage;
pub mod volume;

use std::process::ExitCode;

pub use options::Options;

/// Runs the daemon to its end.
pub fn run(options: Options) -> ExitCode {
    let common = options.common.clone();
    nakhoda_daemon::run(&common, |tasks| app::start(options, tasks))
}
