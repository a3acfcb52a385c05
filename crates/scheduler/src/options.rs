//! Command line of the daemon.

use std::net::SocketAddr;
use std::path::PathBuf;

use nakhoda_daemon::Common;

/// Decides on which node a pod runs.
#[derive(Clone, Debug, clap::Parser)]
#[command(name = "scheduler", version)]
pub struct Options {
    /// How to reach the API server, and as whom.
    #[arg(long, value_name = "FILE", required_unless_present = "config")]
    pub kubeconfig: Option<PathBuf>,
    /// A KubeSchedulerConfiguration (kubescheduler.config.k8s.io/v1): profiles, plugins and their arguments.
    #[arg(long, value_name = "FILE", conflicts_with = "scheduler_name")]
    pub config: Option<PathBuf>,
    /// Where /healthz, /livez, /readyz and /metrics are answered, by plain HTTP.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:10259")]
    pub health_address: SocketAddr,
    /// Pods that name this scheduler are scheduled.
    #[arg(long, value_name = "NAME", default_value = "default-scheduler")]
    pub scheduler_name: String,
    #[command(flatten)]
    #[allow(missing_docs, reason = "a doc comment here would replace the help text")]
    pub common: Common,
}
