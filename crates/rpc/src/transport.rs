//! The channel to an API server or a kubelet: TLS by rustls, h2, a list of addresses tried in turn.
//!
//! A channel reconnects by itself and starts each attempt at the address that last worked.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use http::Uri;
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls_pki_types::ServerName;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tonic::transport::{Channel, Endpoint};

/// Dead peers are found within 45 s: a ping each 30 s, 15 s for its answer.
const PING: Duration = Duration::from_secs(30);
const PING_TIMEOUT: Duration = Duration::from_secs(15);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
const WINDOW: u32 = 1 << 20;

/// One place to connect to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// Name or IP address.
    pub host: String,
    /// TCP port.
    pub port: u16,
}

/// An address that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum AddressError {
    /// Not a URL at all.
    #[error("{url:?} is not a URL; write https://HOST:PORT")]
    Url {
        /// What was given.
        url: String,
        /// Why not.
        #[source]
        source: http::uri::InvalidUri,
    },
    /// There is no insecure port.
    #[error("{url:?} is not https; the API server has no insecure port, write https://HOST:PORT")]
    Insecure {
        /// What was given.
        url: String,
    },
    /// No address was given.
    #[error("no address was given; pass --apiserver https://HOST:PORT")]
    None,
}

/// Supplies the TLS configuration for each new connection, so that certificates can be renewed
/// while the channel lives.
pub trait Tls: Send + Sync + 'static {
    /// The configuration as it is now.
    fn config(&self) -> Arc<ClientConfig>;
}

/// Connects to the addresses in turn.
#[derive(Clone)]
pub struct Connector {
    addresses: Arc<[Address]>,
    last: Arc<AtomicUsize>,
    tls: Arc<dyn Tls>,
    server_name: Option<Arc<str>>,
}

// === impl Address ===

impl Address {
    /// Reads `https://HOST[:PORT]`; the port defaults to 443.
    pub fn parse(url: &str) -> Result<Self, AddressError> {
        let uri: Uri = url.trim().parse().map_err(|source| AddressError::Url { url: url.into(), source })?;
        match (uri.scheme_str(), uri.host()) {
            (Some("https"), Some(host)) => {
                let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
                Ok(Self { host, port: uri.port_u16().unwrap_or(443) })
            }
            _ => Err(AddressError::Insecure { url: url.into() }),
        }
    }
}

impl Tls for Arc<ClientConfig> {
    fn config(&self) -> Arc<ClientConfig> {
        self.clone()
    }
}

// === impl Connector ===

impl Connector {
    /// `server_name` overrides the name that the server's certificate must carry.
    pub fn new(addresses: Vec<Address>, tls: Arc<dyn Tls>, server_name: Option<&str>) -> Result<Self, AddressError> {
        if addresses.is_empty() {
            return Err(AddressError::None);
        }
        Ok(Self {
            addresses: addresses.into(),
            last: Arc::new(AtomicUsize::new(0)),
            tls,
            server_name: server_name.map(Into::into),
        })
    }

    /// A channel that connects on first use and again whenever the connection is lost. The URI is a
    /// placeholder and says http because this connector, not tonic, does the TLS.
    #[must_use]
    pub fn channel(self) -> Channel {
        Endpoint::from_static("http://nakhoda.invalid")
            .connect_timeout(CONNECT_TIMEOUT)
            .http2_keep_alive_interval(PING)
            .keep_alive_timeout(PING_TIMEOUT)
            .keep_alive_while_idle(true)
            .initial_stream_window_size(WINDOW)
            .initial_connection_window_size(4 * WINDOW)
            .tcp_nodelay(true)
            .connect_with_connector_lazy(self)
    }

    /// The TLS configuration of connections that are made now.
    #[must_use]
    pub fn tls(&self) -> Arc<ClientConfig> {
        self.tls.config()
    }

    /// One TLS connection to the first address that answers.
    pub async fn connect(&self) -> io::Result<TlsStream<TcpStream>> {
        let start = self.last.load(Ordering::Relaxed);
        let mut failure = None;
        for step in 0..self.addresses.len() {
            let index = (start + step) % self.addresses.len();
            match self.dial(&self.addresses[index]).await {
                Ok(stream) => {
                    self.last.store(index, Ordering::Relaxed);
                    return Ok(stream);
                }
                Err(error) => failure = Some(error),
            }
        }
        Err(failure.unwrap_or_else(|| io::Error::other("no address")))
    }

    async fn dial(&self, address: &Address) -> io::Result<TlsStream<TcpStream>> {
        let attempt = async {
            let tcp = TcpStream::connect((address.host.as_str(), address.port)).await?;
            tcp.set_nodelay(true)?;
            let name = self.server_name.as_deref().unwrap_or(&address.host).to_owned();
            let name = ServerName::try_from(name).map_err(io::Error::other)?;
            TlsConnector::from(self.tls.config()).connect(name, tcp).await
        };
        match tokio::time::timeout(CONNECT_TIMEOUT, attempt).await {
            Ok(result) => {
                result.map_err(|e| io::Error::new(e.kind(), format!("{}:{}: {e}", address.host, address.port)))
            }
            Err(_) => Err(io::Error::new(
                io::ErrorKind::TimedOut,
                format!("{}:{} did not answer within {} s", address.host, address.port, CONNECT_TIMEOUT.as_secs()),
            )),
        }
    }
}

impl tower::Service<Uri> for Connector {
    type Response = TokioIo<TlsStream<TcpStream>>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Self::Response>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Uri) -> Self::Future {
        let connector = self.clone();
        Box::pin(async move { connector.connect().await.map(TokioIo::new) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_https_only_and_say_so() {
        assert_eq!(
            Address::parse("https://10.0.0.1:6443").expect("valid"),
            Address { host: "10.0.0.1".into(), port: 6443 }
        );
        assert_eq!(Address::parse("https://[::1]").expect("valid"), Address { host: "::1".into(), port: 443 });
        assert!(Address::parse("http://x:1").is_err_and(|e| e.to_string().contains("no insecure port")));
    }
}
