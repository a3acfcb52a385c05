//! The API server: one request pipeline behind two thin fronts, and the only process that persists
//! objects.
//!
//! Architecture invariants: [`rest`] alone knows URLs and media types, [`grpc`] alone knows tonic; both
//! build the same [`request::Request`] and render the same [`response::Response`]. Authentication,
//! authorization, admission, validation and storage exist once, for all kinds. A kind is one file and
//! one line in [`kinds`].

use std::process::ExitCode;

pub mod admission;
pub mod aggregation;
pub mod alloc;
pub mod app;
pub mod archives;
pub mod audit;
pub mod authn;
pub mod authz;
pub mod bootstrap;
pub mod custom;
pub mod discovery;
pub mod encryption;
pub mod expiring;
pub mod grpc;
pub mod identity;
pub mod kind;
pub mod kinds;
pub mod kubelets;
pub mod options;
pub mod parameters;
pub mod pipeline;
pub mod quota;
pub mod reload;
pub mod remote;
pub mod render;
pub mod request;
pub mod response;
pub mod rest;
pub mod rules;
pub mod serve;
pub mod storage;
pub mod sub;
#[cfg(test)]
mod testing;
pub mod user;
pub mod verb;
pub mod webhooks;

pub use options::Options;

/// Runs the API server until it is told to stop.
#[must_use]
pub fn run(options: Options) -> ExitCode {
    let common = options.common.clone();
    nakhoda_daemon::run(&common, |tasks| async {
        match options.etcd.raise_revision_above {
            Some(above) => app::raise(&options.etcd, above, &tasks).await,
            None => app::start(options, tasks).await,
        }
    })
}
