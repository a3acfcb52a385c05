//! What the flags of authentication say, put together.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use nakhoda_daemon::Tasks;
use nakhoda_daemon::file;
use nakhoda_daemon::tls::several::Several;
use nakhoda_daemon::tls::trust::Callers;

use crate::authn::authority::Authority;
use crate::authn::certificate::Certificates;
use crate::authn::config::{ConfigError, Configuration};
use crate::authn::front_proxy::FrontProxy;
use crate::authn::jwt::Issuers;
use crate::authn::jwt::keys::ALGORITHMS;
use crate::authn::token_file::TokenFile;
use crate::authn::webhook::{Version, Webhook};
use crate::authn::{Anonymous, Authenticator, TokenAuthenticator};
use crate::options::{Authentication, Identity};
use crate::reload::{self, Kept};

/// How long the answers of a webhook are good, if no flag says it.
const GOOD_FOR: Duration = Duration::from_secs(120);

/// Who else is believed than the cluster itself.
#[derive(Default)]
pub struct Outside {
    /// Tokens that are asked about after the cluster's own.
    pub tokens: Vec<Box<dyn TokenAuthenticator>>,
    /// Who may come without credentials.
    pub anonymous: Anonymous,
}

/// Opens what the flags name; `own` is the issuer of the cluster's own tokens.
pub(super) fn open(options: &Authentication, own: &str, tasks: &Tasks) -> anyhow::Result<Outside> {
    let file = options.authentication_config.as_deref();
    let (issuers, anonymous) = match file {
        Some(path) => {
            let opened = from_file(path, options, own, tasks);
            opened.with_context(|| format!("{} cannot be used; see --authentication-config", path.display()))?
        }
        None => from_flags(options, own, tasks).context("the --oidc-* flags cannot be used")?,
    };
    let mut outside = Outside { tokens: Vec::new(), anonymous };
    if let Some(path) = &options.token_auth_file {
        tracing::warn!(file = %path.display(), "--token-auth-file: these tokens never end; for trying things out only");
        let file = TokenFile::open(path, vec![own.to_owned()]);
        outside.tokens.push(Box::new(file.context("the tokens cannot be used; see --token-auth-file")?));
    }
    if let Some(issuers) = issuers {
        outside.tokens.push(Box::new(issuers));
    }
    if let Some(path) = &options.authentication_token_webhook_config_file {
        let version = options.authentication_token_webhook_version.unwrap_or(Version::V1beta1);
        let good_for = options.authentication_token_webhook_cache_ttl.map_or(GOOD_FOR, |time| time.unsigned_abs());
        let webhook = Webhook::open(path, version, good_for, vec![own.to_owned()]);
        let what = || format!("{} cannot be used; see --authentication-token-webhook-config-file", path.display());
        outside.tokens.push(Box::new(webhook.with_context(what)?));
    }
    Ok(outside)
}

/// Whom TLS lets in by certificates: users, and proxies in front.
pub(super) fn callers(options: &Identity) -> anyhow::Result<Arc<Several>> {
    let users = Callers::load(&options.client_ca_file);
    let users = users.context("the client CA cannot be used; see --client-ca-file")?;
    let proxies = options.requestheader_client_ca_file.as_deref().map(Callers::load).transpose();
    let proxies = proxies.context("the CA of proxies cannot be used; see --requestheader-client-ca-file")?;
    Ok(Several::new(users, proxies.into_iter().collect()))
}

/// Who is believed by certificates: a proxy in front, and users.
pub(super) fn certificates(options: &Identity) -> anyhow::Result<Vec<Box<dyn Authenticator>>> {
    let Some(front) = &options.requestheader_client_ca_file else {
        return Ok(vec![Box::new(Certificates::default())]);
    };
    let proxy = FrontProxy::open(front, options.requestheader_allowed_names.clone());
    let proxy = proxy.context("the CA of proxies cannot be used; see --requestheader-client-ca-file")?;
    let users = Authority::read(&options.client_ca_file);
    let users = users.context("the CA of clients cannot be used; see --client-ca-file")?;
    Ok(vec![Box::new(proxy), Box::new(Certificates::of(users))])
}

fn from_file(
    path: &Path,
    options: &Authentication,
    own: &str,
    tasks: &Tasks,
) -> Result<(Option<Issuers>, Anonymous), ConfigError> {
    if options.oidc.is_given() {
        return Err(ConfigError::Both);
    }
    let text = file::bytes(path)?;
    let file = Configuration::parse(&text)?;
    let anonymous = match (&file.anonymous, options.anonymous_auth) {
        (Some(_), Some(_)) => return Err(ConfigError::Anonymous),
        (Some(given), None) => given.into(),
        (None, flag) => from_flag(flag),
    };
    let disallowed = vec![own.to_owned()];
    let issuers = Issuers::start(&file, &disallowed, &ALGORITHMS.map(Into::into), &disallowed, tasks)?;
    let (shared, first) = (issuers.clone(), file.anonymous);
    reload::follow("authentication configuration", path.into(), text, tasks, move |text| {
        let (issuers, disallowed, first) = (shared.clone(), disallowed.clone(), first.clone());
        async move {
            let kept = |why: String| Kept { why, again: false };
            let file = Configuration::parse(&text).map_err(|error| kept(nakhoda_api::status::chain(&error)))?;
            if file.anonymous != first {
                return Err(kept("anonymous: Forbidden: changed from initial configuration file".into()));
            }
            issuers.replace(&file, &disallowed).await
        }
    });
    Ok((Some(issuers), anonymous))
}

fn from_flags(options: &Authentication, own: &str, tasks: &Tasks) -> Result<(Option<Issuers>, Anonymous), ConfigError> {
    let anonymous = from_flag(options.anonymous_auth);
    let Some(authenticator) = options.oidc.authenticator()? else { return Ok((None, anonymous)) };
    let file = Configuration { jwt: vec![authenticator], ..Configuration::default() };
    let algorithms = match options.oidc.oidc_signing_algs.as_slice() {
        [] => vec!["RS256".to_owned()],
        given => given.to_vec(),
    };
    let own = [own.to_owned()];
    Ok((Some(Issuers::start(&file, &own, &algorithms, &own, tasks)?), anonymous))
}

fn from_flag(enabled: Option<bool>) -> Anonymous {
    Anonymous { enabled: enabled.unwrap_or(true), paths: Vec::new() }
}
