use super::*;

const RSA: &[u8] = include_bytes!("rsa.pem");

fn file(name: &str, pem: &str) -> PathBuf {
    let path = std::env::temp_dir().join(format!("token-key-{}-{name}", std::process::id()));
    std::fs::write(&path, pem).expect("written");
    path
}

/// PEM of bytes.
fn pem(label: &str, der: &[u8]) -> String {
    let body = base64::engine::general_purpose::STANDARD.encode(der);
    format!("-----BEGIN {label}-----\n{body}\n-----END {label}-----\n")
}

#[test]
fn what_either_kind_of_key_signs_only_its_public_half_verifies() {
    let keys = [TokenKey::from_pem(RSA).expect("RSA"), TokenKey::generate().expect("EC")];
    for (at, algorithm) in [(0, "RS256"), (1, "ES256")] {
        let (own, other) = (keys[at].public(), keys[1 - at].public());
        let signature = keys[at].sign(b"message");
        assert_eq!(own.algorithm(), algorithm);
        assert!(own.verifies(b"message", &signature));
        assert!(!own.verifies(b"messages", &signature));
        assert!(!other.verifies(b"message", &signature));
    }
}

#[test]
fn an_rsa_key_is_published_under_the_name_that_openssl_finds_for_it() {
    let jwk = TokenKey::from_pem(RSA).expect("a key").public().jwk();
    assert_eq!(jwk["kid"], "tAL5L8nWM6BB-NJ5RqDnZ6NZgF1GtlQylrE1nZ796KY");
    assert_eq!(
        (jwk["kty"].as_str(), jwk["alg"].as_str(), jwk["e"].as_str()),
        (Some("RSA"), Some("RS256"), Some("AQAB"))
    );
    assert_eq!(jwk["n"].as_str().map(str::len), Some(342));
}

#[test]
fn public_keys_are_read_from_public_and_from_private_files() {
    let (rsa, ec) = (TokenKey::from_pem(RSA).expect("RSA"), TokenKey::generate().expect("EC"));
    let public = [&rsa, &ec].map(|key| pem("PUBLIC KEY", key.public().spki())).concat();
    let both = file("both", &public);
    assert_eq!(PublicKey::read(&both).expect("two keys"), [rsa.public().clone(), ec.public().clone()]);
    let private = file("private", &String::from_utf8_lossy(RSA));
    assert_eq!(PublicKey::read(&private).expect("a key"), [rsa.public().clone()]);
    let none = file("none", "nothing");
    assert!(matches!(PublicKey::read(&none), Err(KeyError::NoKeys(_))));
    for path in [both, private, none] {
        std::fs::remove_file(path).expect("removed");
    }
}

#[test]
fn what_is_no_key_is_told() {
    assert!(matches!(TokenKey::from_pem(b"no key"), Err(KeyError::Pem(_))));
    assert!(matches!(TokenKey::from_pem(pem("PRIVATE KEY", b"x").as_bytes()), Err(KeyError::Kind(_))));
    assert!(matches!(TokenKey::read(Path::new("/nowhere")), Err(KeyError::File { .. })));
}
