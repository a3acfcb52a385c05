//! How to reach etcd, and the client made of it.

use std::time::Duration;

use etcd_client::{Certificate, Client, ConnectOptions, Identity, KvClient, TlsOptions};

use super::{MAX_MESSAGE, fault};
use crate::error::Error;

/// How to reach etcd.
#[derive(Clone, Debug)]
pub struct Config {
    /// `https://host:port` of each member.
    pub endpoints: Vec<String>,
    /// What to trust and to show; none for plain http.
    pub tls: Option<Tls>,
    /// How long a call may take, tries included.
    pub within: Duration,
}

/// PEM texts.
#[derive(Clone, PartialEq, Eq)]
pub struct Tls {
    /// The CA of the members.
    pub ca: Vec<u8>,
    /// Our certificate.
    pub certificate: Vec<u8>,
    /// Its key.
    pub key: Vec<u8>,
}

/// The client, and its part for keys with our limits.
pub(crate) struct Clients {
    pub(crate) client: Client,
    pub(crate) kv: KvClient,
    /// What they were made of.
    pub(crate) config: Config,
}

// === impl Config ===

impl Config {
    /// Members without TLS, for tests.
    #[must_use]
    pub fn plain(endpoints: Vec<String>) -> Self {
        Self { endpoints, tls: None, within: Duration::from_secs(10) }
    }
}

// === impl Tls ===

impl std::fmt::Debug for Tls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Tls")
    }
}

// === impl Clients ===

impl Clients {
    pub(crate) async fn new(config: &Config) -> Result<Self, Error> {
        let mut options = ConnectOptions::new()
            .with_require_leader(true)
            .with_connect_timeout(Duration::from_secs(3))
            .with_tcp_keepalive(Duration::from_secs(30))
            // Not while idle: etcd takes that for an attack and hangs up.
            .with_keep_alive(Duration::from_secs(10), Duration::from_secs(5))
            .with_keep_alive_while_idle(false);
        if let Some(tls) = &config.tls {
            options = options.with_tls(
                TlsOptions::new()
                    .ca_certificate(Certificate::from_pem(&tls.ca))
                    .identity(Identity::from_pem(&tls.certificate, &tls.key)),
            );
        }
        let client = Client::connect(&config.endpoints, Some(options)).await.map_err(fault::error)?;
        let kv = client.kv_client().max_decoding_message_size(MAX_MESSAGE).max_encoding_message_size(MAX_MESSAGE);
        Ok(Self { client, kv, config: config.clone() })
    }
}
