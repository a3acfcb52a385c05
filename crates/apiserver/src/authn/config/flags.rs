//! The flags `--oidc-*`: one issuer, as upstream makes it of them.

use std::path::PathBuf;

use super::{Authenticator, ClaimRule, ConfigError, Issuer, Mapping, Mappings};
use nakhoda_daemon::file;

/// The flags.
#[derive(Clone, Debug, Default, PartialEq, Eq, clap::Args)]
pub struct Oidc {
    /// The issuer whose tokens are believed.
    #[arg(long, value_name = "URL")]
    pub oidc_issuer_url: Option<String>,
    /// The audience that its tokens must have.
    #[arg(long, value_name = "ID")]
    pub oidc_client_id: Option<String>,
    /// The CA of the issuer's certificate; the host's if absent.
    #[arg(long, value_name = "FILE")]
    pub oidc_ca_file: Option<PathBuf>,
    /// The claim that is the user's name; `sub` if absent.
    #[arg(long, value_name = "CLAIM")]
    pub oidc_username_claim: Option<String>,
    /// What is put before the name; `-` for nothing.
    #[arg(long, value_name = "TEXT")]
    pub oidc_username_prefix: Option<String>,
    /// The claim that is the user's groups.
    #[arg(long, value_name = "CLAIM")]
    pub oidc_groups_claim: Option<String>,
    /// What is put before each group.
    #[arg(long, value_name = "TEXT")]
    pub oidc_groups_prefix: Option<String>,
    /// The algorithms that are accepted; RS256 if absent.
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    pub oidc_signing_algs: Vec<String>,
    /// A claim that must have this value; may be repeated.
    #[arg(long, value_name = "CLAIM=VALUE")]
    pub oidc_required_claim: Vec<String>,
}

// === impl Oidc ===

impl Oidc {
    /// Whether any of them is given.
    #[must_use]
    pub fn is_given(&self) -> bool {
        *self != Self::default()
    }

    /// The issuer of the flags, if any is given.
    pub fn authenticator(&self) -> Result<Option<Authenticator>, ConfigError> {
        let text = |given: &Option<String>| given.clone().unwrap_or_default();
        let (url, client) = (text(&self.oidc_issuer_url), text(&self.oidc_client_id));
        if !self.is_given() {
            return Ok(None);
        }
        if url.is_empty() || client.is_empty() {
            return Err(ConfigError::Flags);
        }
        let certificate_authority = match &self.oidc_ca_file {
            Some(path) => file::text(path)?,
            None => String::new(),
        };
        let claim = self.oidc_username_claim.clone().unwrap_or_else(|| "sub".into());
        let prefix = match text(&self.oidc_username_prefix).as_str() {
            "-" => String::new(),
            // an email is a name of its own, any other claim only with its issuer
            "" if claim != "email" => format!("{url}#"),
            given => given.to_owned(),
        };
        let username = Mapping { claim, prefix: Some(prefix), ..Mapping::default() };
        let groups = match text(&self.oidc_groups_claim) {
            claim if claim.is_empty() => Mapping::default(),
            claim => Mapping { claim, prefix: Some(text(&self.oidc_groups_prefix)), ..Mapping::default() },
        };
        let issuer = Issuer { url, audiences: vec![client], certificate_authority, ..Issuer::default() };
        Ok(Some(Authenticator {
            issuer,
            claim_validation_rules: self.oidc_required_claim.iter().map(|pair| required(pair)).collect(),
            claim_mappings: Mappings { username, groups, ..Mappings::default() },
            user_validation_rules: Vec::new(),
        }))
    }
}

fn required(pair: &str) -> ClaimRule {
    let (claim, value) = pair.split_once('=').unwrap_or((pair, ""));
    ClaimRule { claim: claim.trim().into(), required_value: value.trim().into(), ..ClaimRule::default() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flags(claim: Option<&str>, prefix: Option<&str>) -> Mapping {
        let flags = Oidc {
            oidc_issuer_url: Some("https://issuer".into()),
            oidc_client_id: Some("me".into()),
            oidc_username_claim: claim.map(Into::into),
            oidc_username_prefix: prefix.map(Into::into),
            ..Oidc::default()
        };
        flags.authenticator().expect("valid").expect("given").claim_mappings.username
    }

    #[test]
    fn names_carry_their_issuer_unless_they_are_mails() {
        assert_eq!(flags(None, None).prefix.as_deref(), Some("https://issuer#"));
        assert_eq!(flags(None, None).claim, "sub");
        assert_eq!(flags(Some("email"), None).prefix.as_deref(), Some(""));
        assert_eq!(flags(None, Some("-")).prefix.as_deref(), Some(""));
        assert_eq!(flags(None, Some("a:")).prefix.as_deref(), Some("a:"));
    }

    #[test]
    fn half_of_the_flags_are_refused() {
        let half = Oidc { oidc_issuer_url: Some("https://issuer".into()), ..Oidc::default() };
        assert!(matches!(half.authenticator(), Err(ConfigError::Flags)));
        assert_eq!(Oidc::default().authenticator().expect("nothing given"), None);
    }
}
