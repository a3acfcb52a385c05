//! The flags of authorization as a configuration, as upstream makes it of them.

use std::collections::BTreeSet;

use jiff::SignedDuration;

use super::{ConfigError, Configuration, Connection, Hook, One, check};
use crate::options::Authorization;

/// What is asked where no flag says anything.
const USUAL: [&str; 2] = ["Node", "RBAC"];

/// The configuration of the flags.
pub fn configuration(flags: &Authorization) -> Result<Configuration, ConfigError> {
    let mut modes: Vec<&str> = flags.authorization_mode.iter().map(String::as_str).collect();
    if modes.is_empty() {
        modes = USUAL.to_vec();
    }
    if let Some(unknown) = modes.iter().find(|mode| !check::TYPES.contains(mode)) {
        return Err(ConfigError::Mode((*unknown).to_owned()));
    }
    if modes.iter().collect::<BTreeSet<_>>().len() != modes.len() {
        return Err(ConfigError::Flags("modes should not be repeated in --authorization-mode"));
    }
    match (modes.contains(&"Webhook"), &flags.authorization_webhook_config_file) {
        (true, None) => {
            return Err(ConfigError::Flags("authorization-mode Webhook's authorization config file not passed"));
        }
        (false, Some(_)) => {
            return Err(ConfigError::Flags("cannot specify --authorization-webhook-config-file without mode Webhook"));
        }
        _ => {}
    }
    let authorizers = modes.into_iter().map(|mode| One {
        kind: mode.to_owned(),
        name: if mode == "Webhook" { "default".into() } else { mode.to_lowercase() },
        webhook: (mode == "Webhook").then(|| webhook(flags)),
    });
    Ok(Configuration { authorizers: authorizers.collect(), ..Configuration::default() })
}

fn webhook(flags: &Authorization) -> Hook {
    let usual = Hook::default();
    let authorized = flags.authorization_webhook_cache_authorized_ttl.unwrap_or(usual.authorized_ttl);
    let unauthorized = flags.authorization_webhook_cache_unauthorized_ttl.unwrap_or(usual.unauthorized_ttl);
    // zero means that nothing is kept, which the configuration says in another field
    let least = |given: SignedDuration, usual| if given.is_zero() { usual } else { given };
    let version = flags.authorization_webhook_version.clone();
    // the flag's file may be named from where the process was started; the configuration's may not
    let file = flags
        .authorization_webhook_config_file
        .as_ref()
        .map(|file| std::path::absolute(file).unwrap_or_else(|_| file.clone()));
    Hook {
        cache_authorized_requests: !authorized.is_zero(),
        cache_unauthorized_requests: !unauthorized.is_zero(),
        authorized_ttl: least(authorized, usual.authorized_ttl),
        unauthorized_ttl: least(unauthorized, usual.unauthorized_ttl),
        timeout: SignedDuration::from_secs(30),
        subject_access_review_version: version.unwrap_or_else(|| "v1beta1".into()),
        failure_policy: "NoOpinion".into(),
        connection_info: Connection { kind: "KubeConfigFile".into(), kube_config_file: file },
        ..usual
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn modes(given: &[&str]) -> Result<Vec<String>, String> {
        let flags = Authorization {
            authorization_mode: given.iter().map(|mode| (*mode).to_owned()).collect(),
            ..Authorization::default()
        };
        let file = configuration(&flags).map_err(|error| error.to_string())?;
        Ok(file.authorizers.into_iter().map(|one| one.name).collect())
    }

    #[test]
    fn nothing_turns_authorization_off() {
        assert_eq!(modes(&[]).expect("the usual"), ["node", "rbac"]);
        assert_eq!(modes(&["RBAC", "AlwaysDeny"]).expect("taken"), ["rbac", "alwaysdeny"]);
        assert_eq!(
            modes(&["AlwaysAllow"]).expect_err("refused"),
            "authorization-mode \"AlwaysAllow\" is not a valid mode"
        );
        assert!(modes(&["ABAC"]).is_err() && modes(&["RBAC", "RBAC"]).is_err() && modes(&["Webhook"]).is_err());
    }
}
