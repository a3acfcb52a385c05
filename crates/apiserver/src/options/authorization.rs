//! The flags that say who decides what a caller may do.

use std::path::PathBuf;

use jiff::SignedDuration;

/// Who decides.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct Authorization {
    /// An AuthorizationConfiguration: who is asked, in which order. Read again when it changes. Not together with
    /// --authorization-mode and --authorization-webhook-*.
    #[arg(long, value_name = "FILE")]
    pub authorization_config: Option<PathBuf>,
    /// Who is asked, in this order: of Node, RBAC, Webhook and AlwaysDeny. Node,RBAC if absent. Nothing turns
    /// authorization off.
    #[arg(long, value_name = "MODE", value_delimiter = ',')]
    pub authorization_mode: Vec<String>,
    /// A kubeconfig of the webhook that is asked in the mode Webhook.
    #[arg(long, value_name = "FILE")]
    pub authorization_webhook_config_file: Option<PathBuf>,
    /// The version of the SubjectAccessReviews that it is asked by; v1beta1 if absent.
    #[arg(long, value_name = "VERSION")]
    pub authorization_webhook_version: Option<String>,
    /// How long its yes is good; 5m if absent, 0s: it is not kept.
    #[arg(long, value_name = "TIME")]
    pub authorization_webhook_cache_authorized_ttl: Option<SignedDuration>,
    /// How long any other answer of it is good; 30s if absent.
    #[arg(long, value_name = "TIME")]
    pub authorization_webhook_cache_unauthorized_ttl: Option<SignedDuration>,
}

// === impl Authorization ===

impl Authorization {
    /// Whether any flag but the file is given.
    #[must_use]
    pub fn has_flags(&self) -> bool {
        !self.authorization_mode.is_empty()
            || self.authorization_webhook_config_file.is_some()
            || self.authorization_webhook_version.is_some()
            || self.authorization_webhook_cache_authorized_ttl.is_some()
            || self.authorization_webhook_cache_unauthorized_ttl.is_some()
    }
}
