//! Tokens of other issuers (OpenID Connect): the signature by the issuer's published keys, then time and audience,
//! then what the configuration makes of the claims.
//!
//! Absent: claims that live elsewhere (`_claim_names`), which are refused where the groups would be such; ES512.

pub mod keys;
pub mod mapping;
pub mod provider;
pub mod token;

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use futures::future::{BoxFuture, FutureExt, try_join_all};
use jiff::Timestamp;
use nakhoda_daemon::Tasks;

use super::bearer::{Recognised, Refusal, TokenAuthenticator, agnostic};
use super::config::{Authenticator, ConfigError, Configuration, check};
use crate::reload::Kept;
use crate::user::User;
use keys::ALGORITHMS;
use mapping::Rules;
use provider::{Pace, Provider, ProviderError};
use token::{Token, TokenError};

/// How long new issuers may take to answer before a new configuration is put off.
const HEALTHY_WITHIN: Duration = Duration::from_secs(60);

/// The issuers of a configuration. Cheap to clone; clones share them.
#[derive(Clone)]
pub struct Issuers {
    current: Arc<ArcSwap<Generation>>,
    /// The API server's own audiences: a token that is accepted is for them.
    audiences: Arc<[String]>,
    tasks: Tasks,
}

/// What one text of the configuration came to.
struct Generation {
    issuers: Vec<Arc<Issuer>>,
    tasks: Tasks,
}

/// One issuer.
pub struct Issuer {
    audiences: Vec<String>,
    algorithms: Vec<String>,
    groups_claim: String,
    rules: Rules,
    provider: Provider,
}

/// Why a token of a known issuer is not accepted.
#[derive(Debug, thiserror::Error)]
pub enum JwtError {
    /// The token itself.
    #[error("oidc: verify token")]
    Token(#[from] TokenError),
    /// The issuer's keys.
    #[error("oidc: verify token: failed to verify signature")]
    Provider(#[from] ProviderError),
    /// The claims.
    #[error(transparent)]
    Claims(#[from] mapping::ClaimError),
    /// The groups are to be asked of another server.
    #[error("oidc: could not expand distributed claims: they are not available here")]
    Distributed,
}

// === impl Issuer ===

impl Issuer {
    /// The issuer of a configuration that was checked; `algorithms` are those accepted.
    pub fn new(given: &Authenticator, rules: Rules, algorithms: &[String], pace: Pace) -> Result<Self, ConfigError> {
        if let Some(unknown) = algorithms.iter().find(|name| !ALGORITHMS.contains(&name.as_str())) {
            return Err(ConfigError::Algorithm(unknown.clone()));
        }
        Ok(Self {
            audiences: given.issuer.audiences.clone(),
            algorithms: algorithms.to_vec(),
            groups_claim: given.claim_mappings.groups.claim.clone(),
            rules,
            provider: Provider::new(&given.issuer, pace)?,
        })
    }

    /// Who shows a token of this issuer.
    pub async fn identify(&self, token: &Token<'_>, now: Timestamp) -> Result<User, JwtError> {
        token.check_algorithm(&self.algorithms)?;
        self.provider.verify(token).await?;
        token.check_claims(&self.audiences, now)?;
        if !self.groups_claim.is_empty() && token.claims["_claim_names"].get(&self.groups_claim).is_some() {
            return Err(JwtError::Distributed);
        }
        Ok(self.rules.user(&token.claims)?)
    }
}

// === impl Issuers ===

impl Issuers {
    /// Those of a configuration; their keys are fetched from now on.
    pub fn start(
        file: &Configuration,
        disallowed: &[String],
        algorithms: &[String],
        audiences: &[String],
        tasks: &Tasks,
    ) -> Result<Self, ConfigError> {
        let generation = Generation::new(file, disallowed, algorithms, tasks)?;
        generation.follow();
        let current = Arc::new(ArcSwap::from_pointee(generation));
        Ok(Self { current, audiences: audiences.into(), tasks: tasks.clone() })
    }

    /// Puts the issuers of another configuration in place of these, once all of them have told their keys.
    pub async fn replace(&self, file: &Configuration, disallowed: &[String]) -> Result<(), Kept> {
        let kept = |why: String, again: bool| Kept { why, again };
        let every: Vec<String> = ALGORITHMS.map(Into::into).into();
        let next = Generation::new(file, disallowed, &every, &self.tasks)
            .map_err(|error| kept(nakhoda_api::status::chain(&error), false))?;
        let healthy = try_join_all(next.issuers.iter().map(|issuer| issuer.provider.initialise()));
        match tokio::time::timeout(HEALTHY_WITHIN, healthy).await {
            Ok(Ok(_)) => {}
            Ok(Err(error)) => return Err(kept(nakhoda_api::status::chain(&error), true)),
            Err(_) => return Err(kept("an issuer did not answer in time".into(), true)),
        }
        next.follow();
        self.current.swap(Arc::new(next)).tasks.stop();
        Ok(())
    }

    async fn identify(&self, text: &str) -> Result<Option<User>, JwtError> {
        let current = self.current.load_full();
        let Ok(token) = Token::parse(text) else { return Ok(None) };
        let issuer = current.issuers.iter().find(|issuer| issuer.provider.issuer() == token.issuer());
        match issuer {
            Some(issuer) => issuer.identify(&token, Timestamp::now()).await.map(Some),
            None => Ok(None),
        }
    }
}

impl TokenAuthenticator for Issuers {
    fn recognise<'a>(
        &'a self,
        token: &'a str,
        audiences: &'a [String],
    ) -> BoxFuture<'a, Result<Option<Recognised>, Refusal>> {
        async move {
            let Some(audiences) = agnostic(&self.audiences, audiences) else { return Ok(None) };
            let user = self.identify(token).await.map_err(Box::new)?;
            Ok(user.map(|user| Recognised::of(user, audiences)))
        }
        .boxed()
    }
}

// === impl Generation ===

impl Generation {
    fn new(
        file: &Configuration,
        disallowed: &[String],
        algorithms: &[String],
        tasks: &Tasks,
    ) -> Result<Self, ConfigError> {
        let rules = check::check(file, disallowed).map_err(ConfigError::Invalid)?;
        let issuers = file.jwt.iter().zip(rules);
        let issuers = issuers.map(|(one, rules)| Issuer::new(one, rules, algorithms, Pace::default()).map(Arc::new));
        Ok(Self { issuers: issuers.collect::<Result<_, _>>()?, tasks: tasks.child() })
    }

    /// Keeps the keys fresh for as long as this is in use.
    fn follow(&self) {
        for issuer in self.issuers.iter().cloned() {
            let name = format!("keys of {}", issuer.provider.issuer());
            self.tasks.spawn(name, async move { issuer.provider.follow().await });
        }
    }
}

#[cfg(test)]
mod tests;
