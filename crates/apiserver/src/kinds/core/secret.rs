//! Secret: like a ConfigMap, with a type that says which keys it must have. `stringData` is written
//! only: it is merged into `data`.

use k8s_openapi::ByteString;
use nakhoda_api::Scope;
use nakhoda_api::field::{Errors, Path};
use nakhoda_api::kinds::core::Secret;
use nakhoda_api::wire;
use serde_json::Value;

use crate::kind::{Columns, Cx, Fields, Info, Kind};
use crate::rules::check::{DATA_LIMIT, data, frozen, immutable, text};
use crate::rules::defaults::fill;

/// The kind.
pub struct Secrets;

/// Which keys each type must have, and whether they hold JSON.
const TYPES: &[(&str, &[&str], bool)] = &[
    ("kubernetes.io/dockercfg", &[".dockercfg"], true),
    ("kubernetes.io/dockerconfigjson", &[".dockerconfigjson"], true),
    ("kubernetes.io/ssh-auth", &["ssh-privatekey"], false),
    ("kubernetes.io/tls", &["tls.crt", "tls.key"], false),
];
const ACCOUNT: &str = "kubernetes.io/service-account.name";

impl Kind for Secrets {
    type Object = Secret;

    fn info() -> Info {
        Info::of::<Secret>("secrets", "secret", Scope::Namespaced)
    }

    fn default(secret: &mut Secret) {
        fill(&mut secret.type_, "Opaque");
        for (key, value) in secret.string_data.take().into_iter().flatten() {
            secret.data.get_or_insert_default().insert(key, ByteString(value.into_bytes()));
        }
    }

    fn validate(_: &Cx, new: &Secret, old: Option<&Secret>, errors: &mut Errors) {
        if let Some(old) = old {
            immutable(errors, &Path::new("type"), &new.type_, &old.type_);
        }
        if let Some(old) = old.filter(|o| o.immutable == Some(true)) {
            frozen(errors, "immutable", &new.immutable, &old.immutable);
            frozen(errors, "data", &new.data, &old.data);
        }
        let path = Path::new("data");
        if data(errors, &path, new.data.as_ref()) > DATA_LIMIT {
            errors.too_long(&path, DATA_LIMIT);
        }
        content(errors, &path, new);
    }

    fn fields(secret: &Secret) -> Fields {
        vec![("type", text(&secret.type_).into())]
    }

    fn columns() -> Columns<Secret> {
        Columns::<Secret>::named()
            .text("Type", |s, _| text(&s.type_).into())
            .text("Data", |s, _| s.data.as_ref().map_or(0, |d| d.len()).into())
            .age()
    }
}

/// What the type asks for.
fn content(errors: &mut Errors, path: &Path, secret: &Secret) {
    let key = |name: &str| secret.data.as_ref().and_then(|d| d.get(name));
    match text(&secret.type_) {
        "kubernetes.io/service-account-token" => {
            let account = secret.metadata.annotations.as_ref().and_then(|a| a.get(ACCOUNT));
            if account.is_none_or(String::is_empty) {
                errors.required(&Path::new("metadata.annotations").key(ACCOUNT), "");
            }
        }
        "kubernetes.io/basic-auth" if key("username").is_none() && key("password").is_none() => {
            errors.required(&path.key("username"), "");
            errors.required(&path.key("password"), "");
        }
        other => {
            for (_, keys, json) in TYPES.iter().filter(|(name, ..)| *name == other) {
                for name in *keys {
                    match key(name) {
                        None => errors.required(&path.key(name), ""),
                        Some(value) if value.0.is_empty() && other.ends_with("ssh-auth") => {
                            errors.required(&path.key(name), "");
                        }
                        Some(value) if *json => is_json(errors, &path.key(name), &value.0),
                        Some(_) => {}
                    }
                }
            }
        }
    }
}

fn is_json(errors: &mut Errors, path: &Path, bytes: &[u8]) {
    let fault = match wire::read_any(bytes) {
        Err(error) => error.to_string(),
        Ok((Value::Object(_) | Value::Null, _)) => return,
        Ok((other, _)) => {
            let kind = match other {
                Value::Array(_) => "array",
                Value::String(_) => "string",
                Value::Bool(_) => "bool",
                _ => "number",
            };
            format!("json: cannot unmarshal {kind} into Go value of type map[string]interface {{}}")
        }
    };
    errors.invalid(path, "<secret contents redacted>", fault);
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::kinds::testing::{create, defaulted, row, update};

    #[test]
    fn string_data_is_merged_and_the_type_defaulted() {
        let secret = defaulted::<Secrets>(json!({"data": {"a": "MQ=="}, "stringData": {"a": "2", "b": "3"}}));
        assert_eq!(secret["data"], json!({"a": "Mg==", "b": "Mw=="}));
        assert_eq!((&secret["type"], secret.get("stringData")), (&json!("Opaque"), None));
        assert_eq!(row::<Secrets>(json!({"type": "Opaque", "data": {"a": ""}}))[1..3], [json!("Opaque"), json!(1)]);
    }

    #[test]
    fn types_ask_for_their_keys() {
        assert_eq!(
            create::<Secrets>(json!({"type": "kubernetes.io/tls"})),
            "[data[tls.crt]: Required value, data[tls.key]: Required value]"
        );
        assert_eq!(
            create::<Secrets>(json!({"type": "kubernetes.io/service-account-token"})),
            "metadata.annotations[kubernetes.io/service-account.name]: Required value"
        );
    }

    #[test]
    fn the_type_stays() {
        assert_eq!(
            update::<Secrets>(json!({"type": "Opaque"}), json!({"type": "x/y"})),
            "type: Invalid value: \"x/y\": field is immutable"
        );
    }
}
