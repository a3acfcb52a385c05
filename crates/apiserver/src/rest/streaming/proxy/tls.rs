//! TLS to a backend whose certificate is not checked, as upstream does it: nobody tells the API server
//! which CA signed a pod's certificate.

use std::io;
use std::sync::Arc;

use nakhoda_daemon::tls::{Files, unchecked};
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio_rustls::TlsConnector;

use super::Io;

/// A client that checks no certificate, and shows one if it has it.
pub(crate) fn unchecked(identity: Option<Arc<Files>>) -> ClientConfig {
    match identity {
        Some(files) => unchecked::builder().with_client_cert_resolver(files),
        None => unchecked::builder().with_no_client_auth(),
    }
}

/// Speaks TLS over a stream.
pub(super) async fn wrap(io: Io) -> io::Result<Io> {
    let config = unchecked(None);
    let name = ServerName::try_from("backend").map_err(io::Error::other)?;
    Ok(Box::new(TlsConnector::from(Arc::new(config)).connect(name, io).await?))
}
