//! Bootstrap tokens, by which machines that are not yet known ask for their first certificate. Each is a
//! Secret `kube-system/bootstrap-token-ID`; the user is `system:bootstrap:ID` in the group
//! `system:bootstrappers` and those that the Secret adds (upstream: `plugin/pkg/auth/authenticator/token/bootstrap`).

use futures::future::{BoxFuture, FutureExt};
use jiff::Timestamp;
use k8s_openapi::ByteString;
use nakhoda_api::GroupVersionResource;
use nakhoda_api::kinds::core::Secret;
use nakhoda_daemon::pki::join::Token;
use sha2::{Digest, Sha256};

use super::bearer::{Recognised, Refusal, TokenAuthenticator, agnostic};
use crate::kinds::Kinds;
use crate::storage::{Storage, relative};
use crate::user::User;

const NAMESPACE: &str = "kube-system";
const PREFIX: &str = "bootstrap-token-";
const TYPE: &str = "bootstrap.kubernetes.io/token";
const GROUP: &str = "system:bootstrappers";
const AUTHENTICATED: &str = "system:authenticated";

/// The authenticator.
pub struct BootstrapTokens {
    storage: Storage,
    kinds: Kinds,
    audiences: Vec<String>,
}

// === impl BootstrapTokens ===

impl BootstrapTokens {
    /// Reads the Secrets of this storage; the tokens are for the API server's own audiences.
    #[must_use]
    pub const fn new(storage: Storage, kinds: Kinds, audiences: Vec<String>) -> Self {
        Self { storage, kinds, audiences }
    }

    /// The Secret of a token; the cache may lag the write that made it, so a miss is asked again of the store.
    async fn secret(&self, id: &str) -> Option<Secret> {
        let kind = self.kinds.get(&GroupVersionResource::new("", "v1", "secrets"))?;
        let (cache, key) = (self.storage.cache(&kind.info), relative(NAMESPACE, &format!("{PREFIX}{id}")));
        let item = match cache.snapshot().get(&key).cloned() {
            Some(item) => item,
            None => {
                let fresh = cache.fresh().await.inspect_err(|error| tracing::warn!(%error, "cannot check a token"));
                fresh.ok()?.get(&key)?.clone()
            }
        };
        serde_json::from_slice(item.json()).inspect_err(|error| tracing::warn!(%error, id, "not a Secret")).ok()
    }
}

impl TokenAuthenticator for BootstrapTokens {
    fn recognise<'a>(
        &'a self,
        token: &'a str,
        audiences: &'a [String],
    ) -> BoxFuture<'a, Result<Option<Recognised>, Refusal>> {
        async move {
            let (Ok(token), Some(audiences)) = (token.parse::<Token>(), agnostic(&self.audiences, audiences)) else {
                return Ok(None);
            };
            let Some(secret) = self.secret(&token.id).await else { return Ok(None) };
            Ok(user(&token, &secret, Timestamp::now()).map(|user| Recognised::of(user, audiences)))
        }
        .boxed()
    }
}

/// Who shows a token, if the Secret vouches for it.
fn user(token: &Token, secret: &Secret, now: Timestamp) -> Option<User> {
    let text = |key: &str| {
        let value = secret.data.as_ref()?.get(key)?;
        std::str::from_utf8(&value.0).ok()
    };
    let alive = match text("expiration") {
        None => true,
        Some(at) => at.parse::<Timestamp>().is_ok_and(|at| now < at),
    };
    let vouches = secret.type_.as_deref() == Some(TYPE)
        && secret.metadata.deletion_timestamp.is_none()
        && text("token-id") == Some(&token.id)
        && secret.data.as_ref().and_then(|d| d.get("token-secret")).is_some_and(|s| same(s, &token.secret))
        && text("usage-bootstrap-authentication") == Some("true")
        && alive;
    let groups = vouches.then(|| groups(text("auth-extra-groups").unwrap_or_default())).flatten()?;
    Some(User { name: format!("system:bootstrap:{}", token.id), groups, ..User::default() })
}

/// `None` if a group is none that a token may give: the Secret is not to be believed then.
fn groups(extra: &str) -> Option<Vec<String>> {
    let mut groups = vec![GROUP.to_owned()];
    for group in extra.split(',').map(str::trim).filter(|group| !group.is_empty()) {
        if !group.starts_with("system:bootstrappers:") {
            tracing::warn!(group, "a bootstrap token gives no such group");
            return None;
        }
        groups.push(group.into());
    }
    groups.push(AUTHENTICATED.into());
    Some(groups)
}

/// Compares what cannot be guessed byte by byte: the time taken tells nothing of the secret.
fn same(stored: &ByteString, shown: &str) -> bool {
    Sha256::digest(&stored.0) == Sha256::digest(shown.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(changes: &[(&str, &str)]) -> Secret {
        let mut data = vec![
            ("token-id", "abcdef"),
            ("token-secret", "0123456789abcdef"),
            ("usage-bootstrap-authentication", "true"),
            ("expiration", "2026-01-02T00:00:00Z"),
        ];
        data.extend(changes);
        let data = data.into_iter().map(|(key, value)| (key.to_owned(), ByteString(value.as_bytes().into())));
        Secret { type_: Some(TYPE.into()), data: Some(data.collect()), ..Secret::default() }
    }

    fn shown(secret: &Secret) -> Option<Vec<String>> {
        let token = "abcdef.0123456789abcdef".parse().expect("a token");
        let now = "2026-01-01T00:00:00Z".parse().expect("a time");
        user(&token, secret, now).map(|user| user.groups)
    }

    #[test]
    fn the_secret_says_who_shows_its_token() {
        assert_eq!(shown(&secret(&[])), Some(vec![GROUP.into(), AUTHENTICATED.into()]));
        let extra = shown(&secret(&[("auth-extra-groups", "system:bootstrappers:rack-1")]));
        assert_eq!(extra.expect("known")[1], "system:bootstrappers:rack-1");
    }

    #[test]
    fn a_token_that_is_wrong_old_or_not_for_this_is_refused() {
        let wrong: [(&str, &str); 5] = [
            ("token-secret", "0123456789abcdee"),
            ("token-id", "abcdeg"),
            ("usage-bootstrap-authentication", "false"),
            ("expiration", "2025-12-31T00:00:00Z"),
            ("auth-extra-groups", "system:masters"),
        ];
        for change in wrong {
            assert_eq!(shown(&secret(&[change])), None, "{change:?}");
        }
        assert_eq!(shown(&Secret { type_: Some("Opaque".into()), ..secret(&[]) }), None);
    }
}
