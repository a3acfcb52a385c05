//! What `cluster-info` says, and what tokens sign it.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use nakhoda_api::kinds::core::Secret;
use nakhoda_daemon::pki::join::Token;

const KUBECONFIG: &str = "kubeconfig";
const SIGNATURE: &str = "jws-kubeconfig-";

/// A kubeconfig without a user: the server and whom to trust.
#[must_use]
pub fn kubeconfig(server: &str, authority: &str) -> String {
    format!(
        "apiVersion: v1\nclusters:\n- cluster:\n    certificate-authority-data: {}\n    server: {server}\n  name: \"\"\n\
         contexts: null\ncurrent-context: \"\"\nkind: Config\npreferences: {{}}\nusers: null\n",
        STANDARD.encode(authority)
    )
}

/// The data of the ConfigMap.
#[must_use]
pub fn data<'a>(kubeconfig: &str, tokens: impl Iterator<Item = &'a Token>) -> BTreeMap<String, String> {
    let signatures = tokens.map(|token| (format!("{SIGNATURE}{}", token.id), token.sign(kubeconfig)));
    signatures.chain([(KUBECONFIG.to_owned(), kubeconfig.to_owned())]).collect()
}

/// The token of a Secret, if it may sign: it says so, and its time is not over.
#[must_use]
pub fn signing(secret: &Secret, now: Timestamp) -> Option<Token> {
    let usable = text(secret, "usage-bootstrap-signing") == Some("true")
        && secret.metadata.deletion_timestamp.is_none()
        && expiration(secret).is_none_or(|until| now < until);
    let token = format!("{}.{}", text(secret, "token-id")?, text(secret, "token-secret")?);
    token.parse().ok().filter(|_| usable)
}

/// When a token's time is over; a time that cannot be read is over, as upstream has it.
#[must_use]
pub fn expiration(secret: &Secret) -> Option<Timestamp> {
    text(secret, "expiration").map(|at| at.parse().unwrap_or(Timestamp::UNIX_EPOCH))
}

fn text<'a>(secret: &'a Secret, key: &str) -> Option<&'a str> {
    std::str::from_utf8(&secret.data.as_ref()?.get(key)?.0).ok()
}

#[cfg(test)]
mod tests {
    use k8s_openapi::ByteString;

    use super::*;

    fn secret(signs: &str, until: &str) -> Secret {
        let data = [
            ("token-id", "abcdef"),
            ("token-secret", "0123456789abcdef"),
            ("usage-bootstrap-signing", signs),
            ("expiration", until),
        ];
        let data = data.map(|(key, value)| (key.to_owned(), ByteString(value.as_bytes().into())));
        Secret { data: Some(data.into()), ..Secret::default() }
    }

    #[test]
    fn tokens_that_may_sign_what_is_told() {
        let now = "2026-01-01T00:00:00Z".parse().expect("a time");
        let later = "2026-01-02T00:00:00Z";
        let token = signing(&secret("true", later), now).expect("signs");
        assert_eq!(signing(&secret("false", later), now), None);
        assert_eq!(signing(&secret("true", "2025-01-01T00:00:00Z"), now), None);
        assert_eq!(signing(&secret("true", "tomorrow"), now), None);
        let kubeconfig = kubeconfig("https://10.0.0.1:6443", "PEM");
        let data = data(&kubeconfig, [token.clone()].iter());
        assert_eq!(token.verify(&data["kubeconfig"], &data["jws-kubeconfig-abcdef"]), Ok(()));
    }
}
