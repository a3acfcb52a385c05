//! What every process shares: options, logs, metrics, TLS and its reload, health, supervised tasks.
//!
//! Architecture invariant: nothing here knows an API object or an address of the cluster.

pub mod ask;
pub mod file;
pub mod health;
pub mod logging;
pub mod metrics;
pub mod pki;
pub mod run;
pub mod serve;
pub mod tasks;
pub mod tls;

pub use run::{Common, install_crypto, run};
pub use tasks::Tasks;
