//! Service account tokens for pods, bound to them, kept until four fifths of their life have passed.

use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::authentication::v1::{BoundObjectReference, TokenRequest, TokenRequestSpec, TokenRequestStatus};
use k8s_openapi::api::core::v1::{Pod, ServiceAccount};
use nakhoda_client::Client;
use parking_lot::Mutex;

use super::{Error, TokenWish};
use crate::pod::spec;

/// No token is used longer than this, however long it would live.
const LONGEST: SignedDuration = SignedDuration::from_hours(24);

/// Tokens by pod and wish.
pub struct Tokens {
    client: Client,
    known: Mutex<HashMap<(String, TokenWish), Kept>>,
}

#[derive(Clone)]
struct Kept {
    status: TokenRequestStatus,
    due: Timestamp,
}

// === impl Tokens ===

impl Tokens {
    /// None yet.
    #[must_use]
    pub fn new(client: Client) -> Self {
        Self { client, known: Mutex::default() }
    }

    /// A token that is good for a while.
    pub async fn get(&self, pod: &Pod, wish: &TokenWish) -> Result<TokenRequestStatus, Error> {
        let key = (spec::uid(pod).to_owned(), wish.clone());
        let kept = self.known.lock().get(&key).cloned();
        if let Some(kept) = kept.as_ref().filter(|kept| kept.due > Timestamp::now()) {
            return Ok(kept.status.clone());
        }
        match self.ask(pod, wish).await {
            Ok(status) => {
                let due = due(&status, Timestamp::now());
                self.known.lock().insert(key, Kept { status: status.clone(), due });
                Ok(status)
            }
            // One that is due but alive still is better than none.
            Err(error) => match kept.filter(|kept| expiry(&kept.status).is_some_and(|at| at > Timestamp::now())) {
                Some(kept) => Ok(kept.status),
                None => Err(error),
            },
        }
    }

    /// Forgets the tokens of a pod.
    pub fn forget(&self, uid: &str) {
        self.known.lock().retain(|(owner, _), _| owner != uid);
    }

    async fn ask(&self, pod: &Pod, wish: &TokenWish) -> Result<TokenRequestStatus, Error> {
        let audiences = Some(wish.audience.clone()).filter(|a| !a.is_empty()).map(|audience| vec![audience]);
        let bound = BoundObjectReference {
            api_version: Some("v1".into()),
            kind: Some("Pod".into()),
            name: Some(spec::name(pod).into()),
            uid: Some(spec::uid(pod).into()),
        };
        let request = TokenRequest {
            spec: Some(TokenRequestSpec {
                audiences,
                expiration_seconds: Some(wish.seconds),
                bound_object_ref: Some(bound),
                ..TokenRequestSpec::default()
            }),
            ..TokenRequest::default()
        };
        let accounts = self.client.namespaced::<ServiceAccount>(spec::namespace(pod));
        let answer: Result<TokenRequest, _> = accounts.create_sub(&wish.account, "token", &request).await;
        let failed = |why: String| Error::Failed(format!("failed to fetch token: {why}"));
        answer.map_err(|error| failed(error.to_string()))?.status.ok_or_else(|| failed("the answer holds none".into()))
    }
}

fn due(status: &TokenRequestStatus, now: Timestamp) -> Timestamp {
    let life = expiry(status).map_or(SignedDuration::ZERO, |at| at.duration_since(now));
    now + (life * 4 / 5).min(LONGEST)
}

fn expiry(status: &TokenRequestStatus) -> Option<Timestamp> {
    status.expiration_timestamp.as_ref().map(|time| time.0)
}
