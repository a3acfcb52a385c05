//! Tokens that a webhook knows (`--authentication-token-webhook-config-file`): it is asked by a TokenReview, and
//! what it says is good for a while. A failure to answer is not.

use std::path::Path;
use std::time::Duration;

use futures::future::{BoxFuture, FutureExt};
use nakhoda_api::kinds::authentication::TokenReviewStatus;
use serde_json::json;
use sha2::{Digest, Sha256};

use super::bearer::{Recognised, Refusal, TokenAuthenticator};
use crate::expiring::Expiring;
use crate::remote::review::ReviewError;
use crate::remote::{ConfigError, Server};
use crate::user::User;

/// How long one try may take.
const WITHIN: Duration = Duration::from_secs(30);
/// How many answers are kept.
const ANSWERS: usize = 4096;

/// The webhook.
pub struct Webhook {
    server: Server,
    version: Version,
    audiences: Vec<String>,
    good_for: Duration,
    answers: Expiring<[u8; 32], Option<Recognised>>,
}

/// The version of the TokenReviews; their fields are the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Version {
    /// `authentication.k8s.io/v1`.
    V1,
    /// `authentication.k8s.io/v1beta1`.
    V1beta1,
}

/// Why a webhook did not tell who shows a token.
#[derive(Debug, thiserror::Error)]
pub enum WebhookError {
    /// It does not answer.
    #[error("the webhook did not answer")]
    Review(#[from] ReviewError),
    /// Its answer is no TokenReview.
    #[error("the webhook's answer is no TokenReview")]
    Shape(#[from] serde_json::Error),
    /// It says why not.
    #[error("{0}")]
    Refused(String),
}

// === impl Webhook ===

impl Webhook {
    /// The server of a kubeconfig; `audiences` are the API server's own.
    pub fn open(
        path: &Path,
        version: Version,
        good_for: Duration,
        audiences: Vec<String>,
    ) -> Result<Self, ConfigError> {
        let server = Server::from_kubeconfig(path)?;
        Ok(Self { server, version, audiences, good_for, answers: Expiring::new(ANSWERS) })
    }

    async fn ask(&self, token: &str, wanted: &[String]) -> Result<Option<Recognised>, WebhookError> {
        let version = match self.version {
            Version::V1 => "v1",
            Version::V1beta1 => "v1beta1",
        };
        let question = json!({
            "kind": "TokenReview", "apiVersion": format!("authentication.k8s.io/{version}"),
            "metadata": {}, "spec": {"token": token, "audiences": wanted}, "status": {"user": {}},
        });
        // both versions have the same status
        let mut answer = self.server.review(&question, WITHIN).await?;
        let status: Option<TokenReviewStatus> = serde_json::from_value(answer["status"].take())?;
        self.judge(status.unwrap_or_default(), wanted)
    }

    fn judge(&self, status: TokenReviewStatus, wanted: &[String]) -> Result<Option<Recognised>, WebhookError> {
        // who does not speak of audiences means the API server's own
        let got = status.audiences.filter(|told| !told.is_empty()).unwrap_or_else(|| self.audiences.clone());
        let audiences: Vec<String> = wanted.iter().filter(|audience| got.contains(audience)).cloned().collect();
        if audiences.is_empty() {
            return Ok(None);
        }
        if status.authenticated != Some(true) {
            return match status.error.filter(|error| !error.is_empty()) {
                Some(error) => Err(WebhookError::Refused(error)),
                None => Ok(None),
            };
        }
        let told = status.user.unwrap_or_default();
        let user = User {
            name: told.username.unwrap_or_default(),
            uid: told.uid.unwrap_or_default(),
            groups: told.groups.unwrap_or_default(),
            extra: told.extra.unwrap_or_default().into_iter().collect(),
        };
        Ok(Some(Recognised::of(user, audiences)))
    }
}

impl TokenAuthenticator for Webhook {
    fn recognise<'a>(
        &'a self,
        token: &'a str,
        audiences: &'a [String],
    ) -> BoxFuture<'a, Result<Option<Recognised>, Refusal>> {
        async move {
            let wanted = if audiences.is_empty() { &self.audiences } else { audiences };
            let key = key(token, wanted);
            if let Some(known) = self.answers.get(&key) {
                return Ok(known);
            }
            let found = self.ask(token, wanted).await.map_err(|error| {
                tracing::warn!(error = nakhoda_api::status::chain(&error), "the webhook did not accept a token");
                Box::new(error)
            })?;
            self.answers.put(key, found.clone(), self.good_for);
            Ok(found)
        }
        .boxed()
    }
}

/// Tokens are kept as digests only.
fn key(token: &str, audiences: &[String]) -> [u8; 32] {
    let mut hash = Sha256::new();
    for part in std::iter::once(token).chain(audiences.iter().map(String::as_str)) {
        hash.update(part.len().to_be_bytes());
        hash.update(part);
    }
    hash.finalize().into()
}

#[cfg(test)]
mod tests;
