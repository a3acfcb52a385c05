//! The gRPC front: the contract of `proto/nakhoda/v1/resources.proto` on one side, [`crate::request::Request`]
//! and [`crate::response::Response`] on the other; beside it the standard health and reflection services.
//!
//! Architecture invariant: nothing but this module knows tonic.

use std::sync::Arc;

use nakhoda_daemon::Tasks;
use nakhoda_daemon::health::{Health, Probe};
use nakhoda_rpc::v1::resources_server::ResourcesServer;
use nakhoda_rpc::{DESCRIPTORS, MAX_MESSAGE};
use tonic::service::Routes;

use crate::pipeline::Pipeline;

mod aggregated;
pub mod connect;
pub mod convert;
pub mod list;
pub mod service;
pub mod watch;

/// How often the health service looks at the checks.
const LOOK: std::time::Duration = std::time::Duration::from_secs(1);

/// What the front needs of the process.
#[derive(Clone)]
pub struct Front {
    /// Where requests go.
    pub pipeline: Pipeline,
    /// Where streams live.
    pub tasks: Tasks,
    /// What the health service answers.
    pub health: Health,
}

/// All services.
pub fn routes(front: Front) -> Result<Routes, tonic_reflection::server::Error> {
    let (reporter, health) = tonic_health::server::health_reporter();
    report(&front, reporter);
    let reflection =
        tonic_reflection::server::Builder::configure().register_encoded_file_descriptor_set(DESCRIPTORS).build_v1()?;
    let resources = ResourcesServer::new(service::Service::new(Arc::new(front)))
        .max_decoding_message_size(MAX_MESSAGE)
        .max_encoding_message_size(MAX_MESSAGE);
    Ok(Routes::new(resources).add_service(health).add_service(reflection))
}

fn report(front: &Front, reporter: tonic_health::server::HealthReporter) {
    let checks = front.health.clone();
    front.tasks.spawn("grpc health", async move {
        let mut look = tokio::time::interval(LOOK);
        loop {
            look.tick().await;
            let ready = checks.names(Probe::Ready).iter().all(|name| matches!(checks.one(name), Some(Ok(()))));
            let status =
                if ready { tonic_health::ServingStatus::Serving } else { tonic_health::ServingStatus::NotServing };
            reporter.set_service_status("", status).await;
            reporter.set_service_status("nakhoda.v1.Resources", status).await;
        }
    });
}

#[cfg(test)]
mod tests;
