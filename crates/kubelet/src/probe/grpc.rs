//! The gRPC health protocol, asked in plain text as upstream does.

use std::time::Duration;

use tonic::Code;
use tonic::transport::Endpoint;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

/// Asks for a service's health; `Err` says why it counts as a failure.
pub async fn ask(ip: &str, port: u16, service: &str, timeout: Duration) -> Result<(), String> {
    let address = if ip.contains(':') { format!("[{ip}]:{port}") } else { format!("{ip}:{port}") };
    let slow = || format!("timeout: health rpc did not complete within {}s", timeout.as_secs());
    tokio::time::timeout(timeout, check(&address, service)).await.unwrap_or_else(|_| Err(slow()))
}

async fn check(address: &str, service: &str) -> Result<(), String> {
    let refused = |error: tonic::transport::Error| format!("error: failed to connect service at {address:?}: {error}");
    let endpoint = Endpoint::from_shared(format!("http://{address}")).and_then(|e| e.user_agent("kube-probe/1.37"));
    let channel = endpoint.map_err(refused)?.connect().await.map_err(refused)?;
    let request = HealthCheckRequest { service: service.into() };
    match HealthClient::new(channel).check(request).await {
        Ok(answer) => match answer.into_inner().status() {
            ServingStatus::Serving => Ok(()),
            other => Err(format!("service unhealthy (responded with {:?})", other.as_str_name())),
        },
        Err(status) if status.code() == Code::Unimplemented => Err(format!(
            "error: this server does not implement the grpc health protocol (grpc.health.v1.Health): {}",
            status.message()
        )),
        Err(status) => Err(format!("error: health rpc probe failed: {}", status.message())),
    }
}
