//! An issuer behind TLS in this process, and tokens of all sorts of it.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::routing::get;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jiff::Timestamp;
use nakhoda_daemon::Tasks;
use nakhoda_daemon::pki::token_key::TokenKey;
use parking_lot::Mutex;
use ring::rand::SystemRandom;
use ring::signature::{RSA_PKCS1_SHA256, RSA_PSS_SHA256, RsaEncoding, RsaKeyPair};
use rustls_pki_types::PrivateKeyDer;
use rustls_pki_types::pem::PemObject;
use serde_json::{Value, json};

use super::*;
use crate::authn::TokenAuthenticator;
use crate::testing::webhook::https;

/// Asked as often as anybody likes.
const HASTY: Pace = Pace { least: Duration::ZERO, usual: Duration::from_secs(300), most: Duration::from_secs(300) };
const NOW: &str = "2026-01-01T00:00:00Z";

/// What the issuer publishes, and how often its keys were asked for.
#[derive(Default)]
struct Published {
    issuer: String,
    keys: Vec<Value>,
    asked: usize,
}

struct Provider {
    published: Arc<Mutex<Published>>,
    bundle: String,
    url: String,
    tasks: Tasks,
}

impl Provider {
    async fn start(keys: &[Value]) -> Self {
        let (tasks, published) = (Tasks::new(), Arc::new(Mutex::new(Published::default())));
        let (discovery, jwks) = (published.clone(), published.clone());
        let told = move || {
            let issuer = discovery.lock().issuer.clone();
            async move { Json(json!({"issuer": issuer, "jwks_uri": format!("{issuer}/keys")})) }
        };
        let keys_of = move || {
            let mut published = jwks.lock();
            published.asked += 1;
            let document = json!({"keys": published.keys});
            async move { ([("cache-control", "max-age=60")], Json(document)) }
        };
        let router =
            axum::Router::new().route("/.well-known/openid-configuration", get(told)).route("/keys", get(keys_of));
        let hook = https(&tasks, router).await;
        let url = hook.url.trim_end_matches('/').to_owned();
        *published.lock() = Published { issuer: url.clone(), keys: keys.to_vec(), asked: 0 };
        let bundle = String::from_utf8(STANDARD.decode(hook.bundle).expect("base64")).expect("PEM");
        Self { published, bundle, url, tasks }
    }

    fn file(&self, more: &Value) -> Configuration {
        let mut one = json!({
            "issuer": {"url": self.url, "audiences": ["me"], "certificateAuthority": self.bundle},
            "claimMappings": {"username": {"claim": "sub", "prefix": "x:"}},
        });
        for (key, value) in more.as_object().into_iter().flatten() {
            one[key] = value.clone();
        }
        let file =
            json!({"apiVersion": "apiserver.config.k8s.io/v1", "kind": "AuthenticationConfiguration", "jwt": [one]});
        Configuration::parse(file.to_string().as_bytes()).expect("a configuration")
    }

    async fn issuer(&self, more: &Value, pace: Pace) -> Issuer {
        let file = self.file(more);
        let rules = check::check(&file, &[]).expect("valid").remove(0);
        let issuer = Issuer::new(&file.jwt[0], rules, &ALGORITHMS.map(Into::into), pace).expect("an issuer");
        issuer.provider.initialise().await.expect("keys");
        issuer
    }

    /// Claims of a good token, with some changed.
    fn claims(&self, changes: &Value) -> Value {
        let now = NOW.parse::<Timestamp>().expect("a time").as_second();
        let mut claims = json!({"iss": self.url, "sub": "jane", "aud": "me", "exp": now + 60, "jti": "7"});
        for (key, value) in changes.as_object().into_iter().flatten() {
            claims[key] = value.clone();
        }
        claims
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        self.tasks.stop();
    }
}

fn signed(header: &Value, claims: &Value, sign: impl Fn(&[u8]) -> Vec<u8>) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let message = format!("{}.{}", part(header), part(claims));
    let signature = URL_SAFE_NO_PAD.encode(sign(message.as_bytes()));
    format!("{message}.{signature}")
}

fn by(key: &TokenKey, claims: &Value) -> String {
    signed(&json!({"alg": "ES256", "kid": key.public().id()}), claims, |message| key.sign(message))
}

async fn shown(issuer: &Issuer, token: &str) -> Result<User, String> {
    let token = Token::parse(token).map_err(|error| error.to_string())?;
    let now = NOW.parse().expect("a time");
    issuer.identify(&token, now).await.map_err(|error| nakhoda_api::status::chain(&error))
}

#[tokio::test]
async fn a_good_token_is_a_user_and_others_are_refused_with_the_reason() {
    let key = TokenKey::generate().expect("a key");
    let provider = Provider::start(&[key.public().jwk()]).await;
    let issuer = provider.issuer(&json!({}), HASTY).await;
    let user = shown(&issuer, &by(&key, &provider.claims(&json!({})))).await.expect("accepted");
    assert_eq!((user.name.as_str(), user.groups.is_empty()), ("x:jane", true));
    assert_eq!(user.extra["authentication.kubernetes.io/credential-id"], ["JTI=7"]);
    let now = NOW.parse::<Timestamp>().expect("a time").as_second();
    for (changes, why) in [
        (json!({"exp": now - 1}), "oidc: token is expired (Token Expiry: 2025-12-31T23:59:59Z)"),
        (json!({"exp": null}), "oidc: token is expired (Token Expiry: 1970-01-01T00:00:00Z)"),
        (json!({"nbf": now + 61}), "before the nbf (not before) time"),
        (json!({"aud": ["you"]}), r#"oidc: expected audience in ["me"] got ["you"]"#),
        (json!({"sub": 7}), "oidc: parse username claims \"sub\": json: cannot unmarshal"),
    ] {
        let refused = shown(&issuer, &by(&key, &provider.claims(&changes))).await.expect_err("refused");
        assert!(refused.contains(why), "{refused}");
    }
    let none = json!({"alg": "none"});
    let refused = shown(&issuer, &signed(&none, &provider.claims(&json!({})), |_| Vec::new())).await;
    assert!(refused.expect_err("refused").contains("unsupported algorithm"));
    let other = TokenKey::generate().expect("a key");
    let stolen =
        signed(&json!({"alg": "ES256", "kid": key.public().id()}), &provider.claims(&json!({})), |m| other.sign(m));
    assert!(shown(&issuer, &stolen).await.expect_err("refused").contains("failed to verify id token signature"));
}

#[tokio::test]
async fn a_rotated_key_is_fetched_but_nonsense_does_not_hurry_the_issuer() {
    let (old, new, stranger) = (TokenKey::generate(), TokenKey::generate(), TokenKey::generate());
    let [old, new, stranger] = [old, new, stranger].map(|key| key.expect("a key"));
    let provider = Provider::start(&[old.public().jwk()]).await;
    let hasty = provider.issuer(&json!({}), HASTY).await;
    let slow = provider.issuer(&json!({}), Pace { least: Duration::from_secs(600), ..HASTY }).await;
    provider.published.lock().keys = vec![new.public().jwk()];
    let token = by(&new, &provider.claims(&json!({})));
    shown(&hasty, &token).await.expect("the new key is fetched");
    assert!(shown(&hasty, &by(&old, &provider.claims(&json!({})))).await.is_err(), "the old one is gone");
    let asked = provider.published.lock().asked;
    for _ in 0..5 {
        shown(&slow, &by(&stranger, &provider.claims(&json!({})))).await.expect_err("nobody's key");
    }
    assert_eq!(provider.published.lock().asked, asked);
}

#[tokio::test]
async fn rsa_keys_sign_in_both_paddings_and_only_as_they_say() {
    let pem =
        PrivateKeyDer::from_pem_slice(include_bytes!("../../../../daemon/src/pki/token_key/rsa.pem")).expect("a key");
    let pair = RsaKeyPair::from_pkcs8(pem.secret_der()).expect("a key");
    let part = |number: &[u8]| URL_SAFE_NO_PAD.encode(number);
    let public = ring::signature::RsaPublicKeyComponents::<Vec<u8>>::from(pair.public());
    let jwk = json!({"kty": "RSA", "kid": "r", "n": part(&public.n), "e": part(&public.e)});
    let provider = Provider::start(&[json!({"kty": "OKP", "crv": "Ed25519", "x": "AA"}), jwk]).await;
    let issuer = provider.issuer(&json!({}), HASTY).await;
    let sign = |padding: &'static dyn RsaEncoding| {
        let pair = &pair;
        move |message: &[u8]| {
            let mut signature = vec![0; pair.public().modulus_len()];
            pair.sign(padding, &SystemRandom::new(), message, &mut signature).expect("signed");
            signature
        }
    };
    let claims = provider.claims(&json!({}));
    let header = |alg: &str| json!({"alg": alg, "kid": "r"});
    shown(&issuer, &signed(&header("RS256"), &claims, sign(&RSA_PKCS1_SHA256))).await.expect("RS256");
    shown(&issuer, &signed(&header("PS256"), &claims, sign(&RSA_PSS_SHA256))).await.expect("PS256");
    assert!(shown(&issuer, &signed(&header("RS256"), &claims, sign(&RSA_PSS_SHA256))).await.is_err());
    assert!(shown(&issuer, &signed(&header("RS512"), &claims, sign(&RSA_PKCS1_SHA256))).await.is_err());
}

#[tokio::test]
async fn expressions_make_the_user_and_judge_it() {
    let key = TokenKey::generate().expect("a key");
    let provider = Provider::start(&[key.public().jwk()]).await;
    let more = json!({
        "claimValidationRules": [
            {"claim": "hd", "requiredValue": "acme"},
            {"expression": "claims.exp - claims.iat <= 86400", "message": "too long"},
        ],
        "claimMappings": {
            "username": {"expression": "claims.sub + ':' + claims.hd"},
            "groups": {"expression": "claims.roles.split(',')"},
            "uid": {"claim": "uid"},
            "extra": [{"key": "acme.io/team", "valueExpression": "claims.?team.orValue('')"}],
        },
        "userValidationRules": [
            {"expression": "!user.username.startsWith('system:')", "message": "reserved"},
            {"expression": "user.groups.all(group, group != 'system:masters')", "message": "no masters"},
        ],
    });
    let issuer = provider.issuer(&more, HASTY).await;
    let now = NOW.parse::<Timestamp>().expect("a time").as_second();
    let good = json!({"hd": "acme", "roles": "a,b", "uid": "u", "team": "t", "iat": now});
    let told = async |changes: Value| {
        let mut claims = good.clone();
        for (name, value) in changes.as_object().into_iter().flatten() {
            claims[name] = value.clone();
        }
        shown(&issuer, &by(&key, &provider.claims(&claims))).await
    };
    let user = told(json!({})).await.expect("accepted");
    assert_eq!((user.name.as_str(), user.uid.as_str()), ("jane:acme", "u"));
    assert_eq!(
        (user.groups.as_slice(), &user.extra["acme.io/team"]),
        (&["a".into(), "b".into()][..], &vec!["t".into()])
    );
    for (changes, why) in [
        (json!({"hd": "evil"}), "oidc: required claim hd value does not match. Got = evil, want = acme"),
        (json!({"iat": now - 90_000}), "validation expression 'claims.exp - claims.iat <= 86400' failed: too long"),
        (json!({"sub": "system:jane"}), "startsWith('system:')' failed: reserved"),
        (json!({"roles": "a,system:masters"}), "failed: no masters"),
        (json!({"roles": 1}), "oidc: error evaluating group claim expression: no such overload"),
    ] {
        let refused = told(changes).await.expect_err("refused");
        assert!(refused.contains(why), "{refused}");
    }
}

#[tokio::test]
async fn tokens_of_other_issuers_are_left_to_others_and_another_file_replaces_the_first() {
    let key = TokenKey::generate().expect("a key");
    let (first, second) = (Provider::start(&[key.public().jwk()]).await, Provider::start(&[key.public().jwk()]).await);
    let tasks = Tasks::new();
    let own = ["api".to_owned()];
    let every = ALGORITHMS.map(Into::into);
    let issuers = Issuers::start(&first.file(&json!({})), &[], &every, &own, &tasks).expect("started");
    let of = |provider: &Provider| by(&key, &provider.claims(&json!({"exp": i64::from(u32::MAX)})));
    assert_eq!(issuers.recognise(&of(&second), &[]).await.expect("not known"), None);
    issuers.replace(&second.file(&json!({})), &[]).await.expect("replaced");
    let found = issuers.recognise(&of(&second), &[]).await.expect("accepted").expect("known");
    assert_eq!((found.user.name.as_str(), found.audiences.as_slice()), ("x:jane", &own[..]));
    assert_eq!(issuers.recognise(&of(&first), &[]).await.expect("not known"), None);
    assert_eq!(issuers.recognise(&of(&second), &["other".into()]).await.expect("not known"), None);
    let silent = second.published.lock().issuer.clone();
    second.published.lock().issuer = "https://somebody.else".into();
    let kept = issuers.replace(&second.file(&json!({})), &[]).await.expect_err("another issuer answers");
    assert!(kept.again && kept.why.contains("issuer did not match"), "{}", kept.why);
    assert!(issuers.recognise(&of(&second), &[]).await.expect("still").is_some(), "{silent}");
    tasks.stop();
}
