//! The flags that say whose credentials from outside the cluster are believed.

use std::path::PathBuf;

use jiff::SignedDuration;

use crate::authn::config::flags::Oidc;
use crate::authn::webhook::Version;

/// Whose credentials are believed.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct Authentication {
    /// An AuthenticationConfiguration: issuers of tokens, and who may come without credentials. Read again when it
    /// changes. Not together with the --oidc-* flags.
    #[arg(long, value_name = "FILE")]
    pub authentication_config: Option<PathBuf>,
    /// The same of one issuer.
    #[command(flatten)]
    pub oidc: Oidc,
    /// Whether requests without credentials are let in, as system:anonymous; true if absent.
    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true", require_equals = true)]
    pub anonymous_auth: Option<bool>,
    /// A kubeconfig of a webhook that knows tokens which nobody else does.
    #[arg(long, value_name = "FILE")]
    pub authentication_token_webhook_config_file: Option<PathBuf>,
    /// The version of the TokenReviews that it is asked by; v1beta1 if absent.
    #[arg(long, value_name = "VERSION")]
    pub authentication_token_webhook_version: Option<Version>,
    /// How long its answers are good; 2m if absent, 0s: they are not kept.
    #[arg(long, value_name = "TIME")]
    pub authentication_token_webhook_cache_ttl: Option<SignedDuration>,
    /// A file of tokens that hold as long as the process runs. For trying things out.
    #[arg(long, value_name = "FILE")]
    pub token_auth_file: Option<PathBuf>,
}
