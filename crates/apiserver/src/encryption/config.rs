//! The file: `apiserver.config.k8s.io/v1`, `EncryptionConfiguration`, checked as upstream checks it. A field that is
//! not known is refused: a key that is not used because of a slip of the pen would be found too late.

use std::collections::HashMap;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use nakhoda_api::GroupResource;
use nakhoda_api::field::{Errors, Path};
use nakhoda_daemon::file::Unreadable;
use serde::Deserialize;
use serde_json::json;

use super::chain::{Chain, Key, Provider};
use super::cipher;

mod resources;

/// Why a configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error(transparent)]
    Read(#[from] Unreadable),
    /// It is not YAML of this kind.
    #[error("error decoding encryption provider configuration")]
    Syntax(#[source] Box<serde_saphyr::Error>),
    /// It is another kind of file.
    #[error("got unexpected config type: {api_version}, Kind={kind}")]
    Kind {
        /// As the file says it.
        api_version: String,
        /// As the file says it.
        kind: String,
    },
    /// Its values are wrong, each where and how.
    #[error("{}", .0.iter().map(|error| format!("{}: {}", error.path, error.body())).collect::<Vec<_>>().join(", "))]
    Invalid(Errors),
    /// A resource was named in vain.
    #[error("resource \"{resource}\" is masked by earlier rule \"{rule}\"")]
    Masked {
        /// The resource.
        resource: String,
        /// What came before.
        rule: String,
    },
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct File {
    api_version: String,
    kind: String,
    #[serde(default)]
    resources: Vec<Rule>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Rule {
    #[serde(default)]
    resources: Vec<String>,
    #[serde(default)]
    providers: Vec<Choice>,
}

/// One of these, says upstream's check.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Choice {
    identity: Option<Identity>,
    aesgcm: Option<Keys>,
    aescbc: Option<Keys>,
    secretbox: Option<Keys>,
    kms: Option<serde_json::Value>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Identity {}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Keys {
    #[serde(default)]
    keys: Vec<NamedKey>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NamedKey {
    #[serde(default)]
    name: String,
    #[serde(default)]
    secret: String,
}

/// The providers of each resource that the text names.
pub(super) fn parse(text: &[u8]) -> Result<HashMap<GroupResource, Chain>, ConfigError> {
    let file: File = serde_saphyr::from_slice(text).map_err(|error| ConfigError::Syntax(Box::new(error)))?;
    if file.api_version != "apiserver.config.k8s.io/v1" || file.kind != "EncryptionConfiguration" {
        return Err(ConfigError::Kind { api_version: file.api_version, kind: file.kind });
    }
    let (root, mut errors) = (Path::new("resources"), Errors::default());
    if file.resources.is_empty() {
        errors.required(&root, "at least one resources is required");
    }
    let mut chains = Vec::new();
    for (index, rule) in file.resources.iter().enumerate() {
        let at = root.index(index);
        resources::check(&rule.resources, &at.child("resources"), &mut errors);
        chains.push(providers(&rule.providers, &at.child("providers"), &mut errors));
    }
    if !errors.is_empty() {
        return Err(ConfigError::Invalid(errors));
    }
    resources::assign(file.resources.iter().map(|rule| rule.resources.as_slice()).zip(chains))
}

fn providers(choices: &[Choice], at: &Path, errors: &mut Errors) -> Vec<Arc<Provider>> {
    if choices.is_empty() {
        errors.required(at, format!("at least one {} is required", at.as_str()));
    }
    let each = choices.iter().enumerate().filter_map(|(index, choice)| provider(choice, &at.index(index), errors));
    each.map(Arc::new).collect()
}

fn provider(choice: &Choice, at: &Path, errors: &mut Errors) -> Option<Provider> {
    let aes = "no matching key was found for the provided AES transformer";
    let given = [
        choice.kms.is_some(),
        choice.aesgcm.is_some(),
        choice.aescbc.is_some(),
        choice.secretbox.is_some(),
        choice.identity.is_some(),
    ];
    match given.iter().filter(|given| **given).count() {
        1 => {}
        0 => {
            let why =
                "provider does not contain any of the expected providers: KMS, AESGCM, AESCBC, Secretbox, Identity";
            errors.invalid(at, json!({}), why);
            return None;
        }
        _ => {
            let why = "more than one provider specified in a single element, should split into different list elements";
            errors.invalid(at, "", why);
            return None;
        }
    }
    if choice.kms.is_some() {
        errors.forbidden(&at.child("kms"), "the kms provider is not available here");
        return None;
    }
    let sizes: &[usize] = &[16, 24, 32];
    let (name, given, unknown, sizes, make): (_, _, _, _, Make) = match choice {
        Choice { aesgcm: Some(keys), .. } => ("aesgcm", keys, aes, sizes, cipher::gcm),
        Choice { aescbc: Some(keys), .. } => ("aescbc", keys, aes, sizes, |_, key| cipher::cbc(key)),
        Choice { secretbox: Some(keys), .. } => {
            let unknown = "no matching key was found for the provided Secretbox transformer";
            ("secretbox", keys, unknown, &sizes[2..], |_, key| cipher::secretbox(key))
        }
        _ => return Some(Provider::Identity),
    };
    let prefix = match name {
        "aesgcm" => "k8s:enc:aesgcm:v1:",
        "aescbc" => "k8s:enc:aescbc:v1:",
        _ => "k8s:enc:secretbox:v1:",
    };
    let keys = keys(&given.keys, &at.child(name).child("keys"), sizes, make, errors);
    Some(Provider::Keys { prefix, unknown, keys })
}

type Make = fn(&str, &[u8]) -> Option<Box<dyn cipher::Cipher>>;

fn keys(given: &[NamedKey], at: &Path, sizes: &[usize], make: Make, errors: &mut Errors) -> Vec<Key> {
    if given.is_empty() {
        errors.required(at, "at least one keys is required");
    }
    let each = given.iter().enumerate();
    each.filter_map(|(index, key)| named(key, &at.index(index), sizes, make, errors)).collect()
}

fn named(key: &NamedKey, at: &Path, sizes: &[usize], make: Make, errors: &mut Errors) -> Option<Key> {
    if key.name.is_empty() {
        errors.required(&at.child("name"), "name is a mandatory field for a key");
    }
    let at = at.child("secret");
    if key.secret.is_empty() {
        errors.required(&at, "secret is a mandatory field for a key");
        return None;
    }
    let Ok(secret) = STANDARD.decode(&key.secret) else {
        errors.invalid(&at, "REDACTED", "secrets must be base64 encoded");
        return None;
    };
    let cipher = if sizes.contains(&secret.len()) { make(&key.name, &secret) } else { None };
    if cipher.is_none() {
        let expected = sizes.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
        let got = secret.len();
        errors.invalid(
            &at,
            "REDACTED",
            format!("secret is not of the expected length, got {got}, expected one of [{expected}]"),
        );
    }
    Some(Key { name: key.name.clone(), cipher: cipher? })
}
