//! `token create`: a new token, and the line that joins a machine by it.

use std::process::ExitCode;
use std::time::Duration;

use jiff::Timestamp;
use nakhoda_api::kinds::core::{ConfigMap, Secret};
use nakhoda_client::Client;
use nakhoda_daemon::pki::join::{Token, authority_hashes};
use serde_json::{Value, json};

use super::{NAMESPACE, PREFIX, TYPE};
use crate::{Context, Error, wait};

/// Make a token and print the line that joins a machine by it
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The token, ID.SECRET; default: a random one
    token: Option<Token>,
    /// How long it is good for; 0 for ever
    #[arg(long, default_value = "24h", value_parser = wait::duration)]
    ttl: Duration,
    /// What it is for
    #[arg(long, default_value = "")]
    description: String,
    /// Print the token alone
    #[arg(long)]
    token_only: bool,
}

/// Runs the command.
pub async fn run(args: Args, context: &Context) -> Result<ExitCode, Error> {
    let random = || Token::generate().map_err(|_| Error::Usage("the system has no randomness".into()));
    let token = args.token.clone().map_or_else(random, Ok)?;
    let client = context.client()?;
    let line = if args.token_only { token.to_string() } else { join_line(&client, &token).await? };
    let secret: Value = secret(&token, &args, Timestamp::now());
    let secret: Secret = serde_json::from_value(secret).map_err(|e| Error::Usage(e.to_string()))?;
    client.namespaced::<Secret>(NAMESPACE).create(&secret).await?;
    crate::say!("{line}");
    Ok(ExitCode::SUCCESS)
}

/// What is typed on the machine.
async fn join_line(client: &Client, token: &Token) -> Result<String, Error> {
    let missing = |what: &str| Error::Usage(format!("{what} of the cluster is not known; does its controller-manager run?"));
    let text = |map: &ConfigMap, key: &str| map.data.as_ref().and_then(|data| data.get(key)).cloned();
    let cluster = client.namespaced::<ConfigMap>(NAMESPACE).get("cluster").await?;
    let servers = text(&cluster, "apiservers").ok_or_else(|| missing("the address"))?;
    let root = client.namespaced::<ConfigMap>(NAMESPACE).get("kube-root-ca.crt").await?;
    let authority = text(&root, "ca.crt").ok_or_else(|| missing("the authority"))?;
    let hash = authority_hashes(&authority).map_err(|_| missing("the authority"))?.remove(0);
    Ok(format!("kubelet --apiserver {servers} --token {token} --ca-hash {hash}"))
}

fn secret(token: &Token, args: &Args, now: Timestamp) -> Value {
    let mut data = json!({
        "token-id": token.id,
        "token-secret": token.secret,
        "usage-bootstrap-authentication": "true",
        "usage-bootstrap-signing": "true",
    });
    if !args.description.is_empty() {
        data["description"] = args.description.clone().into();
    }
    if !args.ttl.is_zero()
        && let Ok(until) = now.checked_add(args.ttl)
        && let Ok(until) = Timestamp::from_second(until.as_second())
    {
        data["expiration"] = until.to_string().into();
    }
    json!({"metadata": {"name": format!("{PREFIX}{}", token.id), "namespace": NAMESPACE}, "type": TYPE, "stringData": data})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_secret_is_in_the_form_that_the_cluster_reads() {
        let token: Token = "abcdef.0123456789abcdef".parse().expect("a token");
        let args = |ttl| Args { token: None, ttl: Duration::from_secs(ttl), description: String::new(), token_only: false };
        let now = Timestamp::from_second(0).expect("a time");
        let made = secret(&token, &args(3600), now);
        assert_eq!(made["metadata"]["name"], "bootstrap-token-abcdef");
        assert_eq!(made["stringData"]["expiration"], "1970-01-01T01:00:00Z");
        assert_eq!(secret(&token, &args(0), now)["stringData"]["expiration"], Value::Null);
    }
}
