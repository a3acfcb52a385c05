//! The command line.

use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};

use nakhoda_client::config::Place;

/// The cluster's name server.
#[derive(Clone, Debug, clap::Parser)]
#[command(name = "dns", version)]
pub struct Options {
    /// Options of every daemon.
    #[command(flatten)]
    pub common: nakhoda_daemon::Common,
    /// Where the cluster is.
    #[command(flatten)]
    pub place: Place,
    /// Addresses to listen on, UDP and TCP
    #[arg(long, default_value = "0.0.0.0:53")]
    pub bind: Vec<SocketAddr>,
    /// The domain of the cluster's names
    #[arg(long, default_value = "cluster.local")]
    pub cluster_domain: String,
    /// Where other names are asked; without any, the name servers of --resolv-conf
    #[arg(long)]
    pub upstream: Vec<SocketAddr>,
    /// The file that names the upstream servers
    #[arg(long, default_value = "/etc/resolv.conf")]
    pub resolv_conf: PathBuf,
    /// What to do instead of serving.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// What to do instead of serving.
#[derive(Clone, Debug, clap::Subcommand)]
pub enum Command {
    /// Ask one question and print the answer; exit code 1 if there is none
    Query(Question),
}

/// A question.
#[derive(Clone, Debug, clap::Args)]
pub struct Question {
    /// The name
    pub name: String,
    /// The server's address
    #[arg(long)]
    pub server: IpAddr,
    /// The server's port
    #[arg(long, default_value_t = 53)]
    pub port: u16,
    /// A, AAAA, SRV, PTR, CNAME or TXT
    #[arg(long = "type", default_value = "A")]
    pub kind: String,
    /// Ask over TCP
    #[arg(long)]
    pub tcp: bool,
}

// === impl Options ===

impl Options {
    /// Where names of other domains are asked.
    #[must_use]
    pub fn upstreams(&self) -> Vec<SocketAddr> {
        if self.upstream.is_empty() { name_servers(&self.resolv_conf) } else { self.upstream.clone() }
    }
}

fn name_servers(path: &Path) -> Vec<SocketAddr> {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let servers = text.lines().filter_map(|l| l.trim().strip_prefix("nameserver"));
    servers.filter_map(|s| s.trim().parse::<IpAddr>().ok()).map(|ip| SocketAddr::new(ip, 53)).collect()
}
