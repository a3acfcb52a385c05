//! Decides on which node a pod runs, and binds it there.
//!
//! Architecture invariant: a decision is a plain function of the cluster as last seen ([`cycle`]); one
//! task owns that state ([`engine`]), so there are no locks, and binding never holds up the next
//! decision. A plugin is one file and one line in [`plugin`].

pub mod act;
pub mod app;
pub mod cluster;
pub mod config;
pub mod cycle;
pub mod deadlines;
pub mod devices;
pub mod engine;
pub mod framework;
pub mod gangs;
pub mod metrics;
pub mod news;
pub mod node;
pub mod options;
pub mod plugin;
pub mod pod;
pub mod preempt;
pub mod queue;
pub mod report;
pub mod resources;

#[cfg(test)]
mod fixtures;
#[cfg(test)]
mod oracle;
#[cfg(test)]
mod simulation;

pub use options::Options;

/// Runs the daemon until it is told to stop.
#[must_use]
pub fn run(options: Options) -> std::process::ExitCode {
    nakhoda_daemon::run(&options.common.clone(), |tasks| app::start(options, tasks))
}
