//! Deletes bootstrap tokens whose time is over.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use nakhoda_api::kinds::core::Secret;
use nakhoda_client::{Client, Informer, Key, Outcome, Reconcile, Resource, Result};

use crate::clock;
use crate::context::{Context, Watches};
use crate::pod_control::exactly;

const NAME: &str = "token_cleaner";
const NAMESPACE: &str = "kube-system";
const TYPE: &str = "bootstrap.kubernetes.io/token";
const EXPIRATION: &str = "expiration";

/// Starts the controller.
pub fn start(cx: &Context) {
    let secrets = cx.informers.of::<Secret>();
    let mut watches = Watches::new(cx, NAME);
    watches.on(&secrets, |secret: &Secret| if is_token(secret) { vec![Key::of(secret)] } else { Vec::new() });
    watches.run(1, Cleaner { client: cx.client.clone(), secrets });
}

struct Cleaner {
    client: Client,
    secrets: Informer<Secret>,
}

// === impl Cleaner ===

impl Reconcile for Cleaner {
    fn name(&self) -> &'static str {
        NAME
    }

    async fn reconcile(&self, key: &Key) -> Result<Outcome> {
        let Some(secret) = self.secrets.get(key).filter(|s| is_token(s)) else { return Ok(Outcome::Done) };
        let Some(left) = until_expired(&secret, clock::now()) else { return Ok(Outcome::Done) };
        if left.is_positive() {
            return Ok(Outcome::After(Duration::try_from(left).unwrap_or_default()));
        }
        match self.client.namespaced::<Secret>(NAMESPACE).delete(secret.name(), &exactly(&*secret)).await {
            Err(error) if !error.is_not_found() && !error.is_conflict() => Err(error),
            _ => Ok(Outcome::Done),
        }
    }
}

fn is_token(secret: &Secret) -> bool {
    secret.namespace() == NAMESPACE && secret.type_.as_deref() == Some(TYPE)
}

/// How long a token is still good; nothing if it is good for ever. A time that cannot be read is over.
fn until_expired(secret: &Secret, now: Timestamp) -> Option<SignedDuration> {
    let text = secret.data.as_ref()?.get(EXPIRATION).filter(|t| !t.0.is_empty())?;
    let end = std::str::from_utf8(&text.0).ok().and_then(|text| text.parse::<Timestamp>().ok());
    Some(end.map_or(SignedDuration::ZERO, |end| end.duration_since(now)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use k8s_openapi::ByteString;

    #[test]
    fn a_token_goes_when_its_time_is_over_or_cannot_be_read() {
        let secret = |text: &str| Secret {
            data: Some([(EXPIRATION.to_owned(), ByteString(text.as_bytes().to_vec()))].into()),
            ..Secret::default()
        };
        let now: Timestamp = "2026-01-15T12:00:00Z".parse().expect("a time");
        let left = |text: &str| until_expired(&secret(text), now).map(|l| l.as_secs());
        assert_eq!(left("2026-01-15T12:01:00Z"), Some(60));
        assert_eq!(left("2026-01-15T13:00:00+02:00"), Some(-3600));
        assert_eq!(left("soon"), Some(0));
        assert_eq!(left(""), None);
        assert_eq!(until_expired(&Secret::default(), now), None);
    }
}
