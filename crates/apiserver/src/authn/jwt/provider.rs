//! An issuer's keys: found by its discovery document, fetched again before they get old, and when a token names a
//! key that is not known. Whoever shows nonsense cannot make the issuer be asked more often than the pace allows.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwapOption;
use http::header::CACHE_CONTROL;
use serde::Deserialize;
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::keys::KeySet;
use super::token::Token;
use crate::authn::config::{ConfigError, Issuer};
use crate::remote::{self, Failure, Server};

/// How long one question to an issuer may take.
const WITHIN: Duration = Duration::from_secs(30);
/// Where the discovery document is, below the issuer's URL.
const WELL_KNOWN: &str = "/.well-known/openid-configuration";

/// How often an issuer is asked.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// Not more often than this.
    pub least: Duration,
    /// So often, if the issuer does not say how long its keys are good.
    pub usual: Duration,
    /// At least so often.
    pub most: Duration,
}

/// Where an issuer's keys are, and the last ones that it told.
pub struct Provider {
    issuer: String,
    discovery: String,
    tls: Arc<rustls::ClientConfig>,
    pace: Pace,
    asked: Mutex<Asked>,
    held: ArcSwapOption<Held>,
}

/// What is known of the way to the keys; held while they are fetched, so that one fetch answers all who wait.
#[derive(Default)]
struct Asked {
    keys: Option<Server>,
    at: Option<Instant>,
}

struct Held {
    keys: KeySet,
    until: Instant,
}

/// Why an issuer's keys are not there, or do not fit.
#[derive(Debug, thiserror::Error)]
pub enum ProviderError {
    /// They were never told.
    #[error("oidc: authenticator not initialized")]
    Uninitialised,
    /// No key made the signature.
    #[error("failed to verify id token signature")]
    Signature,
    /// The issuer cannot be reached.
    #[error("oidc: {url} does not answer")]
    Failure {
        /// Which address.
        url: String,
        /// Why not.
        #[source]
        source: Failure,
    },
    /// The issuer answers, but not with a document.
    #[error("{url} answered {code}")]
    Code {
        /// Which address.
        url: String,
        /// How.
        code: http::StatusCode,
    },
    /// The document makes no sense.
    #[error("oidc: failed to decode {url}")]
    Json {
        /// Which address.
        url: String,
        /// Why not.
        #[source]
        source: serde_json::Error,
    },
    /// The document is another issuer's.
    #[error("oidc: issuer did not match the issuer returned by provider, expected {expected:?} got {got:?}")]
    Issuer {
        /// Who was asked.
        expected: String,
        /// Who answered.
        got: String,
    },
    /// An address that is none.
    #[error("{0:?} is no https URL")]
    Url(String),
}

#[derive(Deserialize)]
struct Discovery {
    issuer: String,
    #[serde(default)]
    jwks_uri: String,
}

// === impl Pace ===

impl Default for Pace {
    fn default() -> Self {
        Self { least: Duration::from_secs(10), usual: Duration::from_secs(300), most: Duration::from_secs(3600) }
    }
}

// === impl Provider ===

impl Provider {
    /// The way to an issuer; it is not asked yet.
    pub fn new(issuer: &Issuer, pace: Pace) -> Result<Self, ConfigError> {
        let discovery = match issuer.discovery_url.as_str() {
            "" => format!("{}{WELL_KNOWN}", issuer.url.trim_end_matches('/')),
            url => url.to_owned(),
        };
        let tls = remote::trust(issuer.certificate_authority.as_bytes())?;
        let (asked, held) = (Mutex::default(), ArcSwapOption::empty());
        Ok(Self { issuer: issuer.url.clone(), discovery, tls, pace, asked, held })
    }

    /// `iss`.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// Fetches the keys, unless they are there.
    pub async fn initialise(&self) -> Result<(), ProviderError> {
        let mut asked = self.asked.lock().await;
        if self.held.load().is_some() { Ok(()) } else { self.fetch(&mut asked).await }
    }

    /// Whether the issuer signed a token. A key that is not known may be a new one.
    pub async fn verify(&self, token: &Token<'_>) -> Result<(), ProviderError> {
        let held = self.held.load_full().ok_or(ProviderError::Uninitialised)?;
        if held.keys.verifies(token) {
            return Ok(());
        }
        let mut asked = self.asked.lock().await;
        let current = self.held.load_full().ok_or(ProviderError::Uninitialised)?;
        let told_since = !Arc::ptr_eq(&held, &current);
        if !told_since && asked.at.is_none_or(|at| at.elapsed() >= self.pace.least) {
            self.fetch(&mut asked).await?;
        }
        drop(asked);
        let fresh = self.held.load_full().ok_or(ProviderError::Uninitialised)?;
        if fresh.keys.verifies(token) { Ok(()) } else { Err(ProviderError::Signature) }
    }

    /// Keeps the keys fresh; ends never.
    pub async fn follow(&self) {
        loop {
            let outcome = match self.held.load_full() {
                None => self.initialise().await,
                Some(held) => {
                    tokio::time::sleep_until(held.until).await;
                    self.fetch(&mut *self.asked.lock().await).await
                }
            };
            if let Err(error) = outcome {
                let error = nakhoda_api::status::chain(&error);
                tracing::error!(issuer = self.issuer, error, "the keys of an issuer cannot be fetched, trying again");
                tokio::time::sleep(self.pace.least).await;
            }
        }
    }

    async fn fetch(&self, asked: &mut Asked) -> Result<(), ProviderError> {
        asked.at = Some(Instant::now());
        let server = match &asked.keys {
            Some(server) => server,
            None => asked.keys.insert(self.discover().await?),
        };
        let (url, answer) = ("jwks_uri", document("jwks_uri", server).await?);
        let keys = KeySet::parse(&answer.body).map_err(|source| ProviderError::Json { url: url.into(), source })?;
        let age = max_age(&answer.headers).unwrap_or(self.pace.usual);
        let until = Instant::now() + age.clamp(self.pace.least, self.pace.most.max(self.pace.least));
        self.held.store(Some(Arc::new(Held { keys, until })));
        Ok(())
    }

    async fn discover(&self) -> Result<Server, ProviderError> {
        let url = &self.discovery;
        let answer = document(url, &self.server(url)?).await?;
        let found: Discovery =
            serde_json::from_slice(&answer.body).map_err(|source| ProviderError::Json { url: url.clone(), source })?;
        if found.issuer != self.issuer {
            return Err(ProviderError::Issuer { expected: self.issuer.clone(), got: found.issuer });
        }
        self.server(&found.jwks_uri)
    }

    fn server(&self, url: &str) -> Result<Server, ProviderError> {
        Server::at(url, Some(self.tls.clone())).ok_or_else(|| ProviderError::Url(url.to_owned()))
    }
}

async fn document(url: &str, server: &Server) -> Result<remote::Answer, ProviderError> {
    let answer = server.get(WITHIN).await.map_err(|source| ProviderError::Failure { url: url.to_owned(), source })?;
    if answer.code != http::StatusCode::OK {
        return Err(ProviderError::Code { url: url.to_owned(), code: answer.code });
    }
    Ok(answer)
}

/// How long an answer may be kept, if it says so.
fn max_age(headers: &http::HeaderMap) -> Option<Duration> {
    let text = headers.get(CACHE_CONTROL)?.to_str().ok()?;
    let directives = || text.split(',').map(|one| one.trim().to_ascii_lowercase());
    if directives().any(|one| one == "no-store" || one == "no-cache") {
        return Some(Duration::ZERO);
    }
    directives().find_map(|one| one.strip_prefix("max-age=")?.parse().ok()).map(Duration::from_secs)
}
