//! Values that an upstream API server (1.36) wrote with keys of 32 bytes `a`, and configurations it takes or refuses.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::*;

const SECRETBOX: &str = "azhzOmVuYzpzZWNyZXRib3g6djE6a2V5MToLVwEXkwgCMy68OZwmPg1xVCpXkkAIdcL+rSvh+zEp752iMTaVnMwqoV83GNbIy9SwIlVx+DbNp2SLRwno69mj8nEVPAn42rFvN9mgoVRiJnZ3R5z5Xc6n0/KZuOt5V+bMGpyEOsk5q1Ye+q00Pr74zP0lDSwG/Btz+EPqT3wxqlyGgrcJ0CaWI1rwovzeGR2zbkwx4vpkfsrp1OUCcicdW6mKI2hlo8ngSCK82s7xO7Epv7TLPCzcPoKi8BlAYvOtbisDIM9a2l63z1SRjScG6dWZBRoUxhF3yNo+Xj2vtcomcExrXsuKEJ2+GDfcPnoW0mEQz/kLWR4=";
const GCM: &str = "azhzOmVuYzphZXNnY206djE6a2V5MTrgEiQUZdSifIdAoOWRKzKejNhTjFkNe6uFjnFIL2kzArSYwHd7VeuBdVzwrQInLp+exMl1ovk4wGQOGxEiqIAypfiJ2W257svyzfmPLK3wzApDj7VqdWPBfLlzw1BiuM11n5IWYclfyHf5TCWOVpIHjMowI0s5OA1TwW7dvedw0pwR2VZbbybMDYUwVIw5GJ0MiVh92DJhFoNFsz2LbzW1hYE7xZ2kCTwz+ItNYTx/PllBRD4Ip9E+Th/cN1zox3O/gYqq8v08+p1NnxBaDQYDpjJFtjo8+L0yC1sF";
const CBC: &str = "azhzOmVuYzphZXNjYmM6djE6a2V5MToN/b9TDFYvjL3EBUybwIWM3uwoeNEWUzfNbyY54A4/QbHPabY1cNPZVX2PU0hJa7ZxrricmXw2yt8ygGY65Yw9PAoXOP/kMOIBgJaD0I324Lpx/E6eriFbQqNWy+6RcfHyUIZdHYu7X3RU5WmtH4Y1sltz3fYhTWraziV5TWc+yg==";

fn config(resources: &str, providers: &str) -> String {
    format!(
        "apiVersion: apiserver.config.k8s.io/v1\nkind: EncryptionConfiguration\nresources:\n- resources: [{resources}]\n  \
         providers: [{providers}]\n"
    )
}

fn provider(kind: &str, keys: &[(&str, u8)]) -> String {
    let key = |(name, byte): &(&str, u8)| format!("{{name: {name}, secret: {}}}", STANDARD.encode([*byte; 32]));
    format!("{kind}: {{keys: [{}]}}", keys.iter().map(key).collect::<Vec<_>>().join(", "))
}

fn encryption(resources: &str, providers: &[String]) -> Encryption {
    let providers = providers.iter().map(|provider| format!("{{{provider}}}")).collect::<Vec<_>>().join(", ");
    Encryption::new(Rules::parse(config(resources, &providers).as_bytes()).expect("a configuration"))
}

fn secrets() -> GroupResource {
    GroupResource { group: String::new(), resource: "secrets".into() }
}

fn stored(text: &str) -> Bytes {
    STANDARD.decode(text).expect("base64").into()
}

#[test]
fn what_upstream_wrote_is_read() {
    let cases =
        [("secretbox", SECRETBOX, "secrets"), ("aesgcm", GCM, "configmaps"), ("aescbc", CBC, "serviceaccounts")];
    for (kind, text, lies) in cases {
        let encryption = encryption("secrets", &[provider(kind, &[("key1", b'a')])]);
        let key = format!("/registry/{lies}/default/v");
        let (value, stale) = encryption.open(&secrets(), key.as_bytes(), stored(text)).expect(kind);
        assert!(value.starts_with(b"k8s\0") && !stale, "{kind}");
        let sealed = encryption.seal(&secrets(), key.as_bytes(), &value).expect(kind);
        assert_eq!(sealed.len(), stored(text).len(), "{kind}");
        assert_eq!(encryption.open(&secrets(), key.as_bytes(), sealed), Ok((value, false)), "{kind}");
    }
    let moved = encryption("secrets", &[provider("aesgcm", &[("key1", b'a')])]);
    assert!(
        moved.open(&secrets(), b"/registry/configmaps/default/w", stored(GCM)).is_err(),
        "it vouches for its place"
    );
}

#[test]
fn every_key_reads_and_the_first_writes() {
    let key = b"/registry/secrets/default/v";
    let rotated =
        encryption("secrets", &[provider("secretbox", &[("key2", b'b'), ("key1", b'a')]), "identity: {}".into()]);
    let (value, stale) = rotated.open(&secrets(), key, stored(SECRETBOX)).expect("an older key reads");
    assert!(stale);
    let anew = rotated.seal(&secrets(), key, &value).expect("sealed");
    assert!(anew.starts_with(b"k8s:enc:secretbox:v1:key2:"));
    assert_eq!(rotated.open(&secrets(), key, anew.clone()), Ok((value, false)));
    assert_eq!(rotated.open(&secrets(), key, "{}".into()), Ok(("{}".into(), true)), "plain values are read and stale");
    let back = encryption("secrets", &["identity: {}".into(), provider("secretbox", &[("key2", b'b')])]);
    assert!(back.open(&secrets(), key, anew).is_ok_and(|(_, stale)| stale), "the way back to plain values");
}

#[test]
fn the_texts_without_a_key_are_upstreams() {
    let open = |providers: &[String]| {
        let opened = encryption("secrets", providers).open(&secrets(), b"/k", stored(SECRETBOX));
        opened.expect_err("no key fits").to_string()
    };
    assert_eq!(open(&["identity: {}".into()]), "no matching prefix found");
    let other = provider("secretbox", &[("other", b'a')]);
    assert_eq!(open(&[other]), "no matching key was found for the provided Secretbox transformer");
    let wrong = provider("secretbox", &[("key1", b'x')]);
    assert_eq!(open(&[wrong]), "the value was not encrypted with this key, or was changed");
    let none = Encryption::default().open(&secrets(), b"/k", stored(SECRETBOX));
    assert_eq!(none.expect_err("no key").to_string(), "identity transformer tried to read encrypted data");
}

#[test]
fn a_resource_is_found_by_name_then_group_then_at_all() {
    let (key, crd) = (provider("secretbox", &[("k", b'a')]), "crontabs.stable.example.com");
    let resource = |text: &str| {
        let (resource, group) = text.split_once('.').unwrap_or((text, ""));
        GroupResource { group: group.into(), resource: resource.into() }
    };
    let cases = [
        ("'*.'", "pods", true),
        ("'*.'", "deployments.apps", false),
        ("'*.apps'", "deployments.apps", true),
        ("'*.*'", crd, true),
        (crd, crd, true),
        ("secrets", "pods", false),
    ];
    for (rule, asked, encrypted) in cases {
        let sealed = encryption(rule, std::slice::from_ref(&key)).seal(&resource(asked), b"/k", &"{}".into());
        assert_eq!(sealed.expect("sealed").starts_with(b"k8s:enc:"), encrypted, "{rule} {asked}");
    }
}

#[test]
fn wrong_files_are_refused_with_the_place() {
    let key = provider("secretbox", &[("k", b'a')]);
    let cases = [
        (
            config("", "{identity: {}}"),
            "resources[0].resources: Required value: at least one resources[0].resources is required",
        ),
        (
            config("secrets", ""),
            "resources[0].providers: Required value: at least one resources[0].providers is required",
        ),
        (config("secrets", "{}"), "resources[0].providers[0]: Invalid value"),
        (
            config("secrets", &format!("{{{key}, identity: {{}}}}")),
            "more than one provider specified in a single element",
        ),
        (config("secrets", "{kms: {name: a}}"), "resources[0].providers[0].kms: Forbidden"),
        (
            config("secrets", "{aescbc: {keys: [{name: a, secret: YWFh}]}}"),
            "resources[0].providers[0].aescbc.keys[0].secret: Invalid value: \"REDACTED\": secret is not of the expected length, got 3, expected one of [16 24 32]",
        ),
        (config("secrets", "{secretbox: {keys: [{name: a, secret: '?'}]}}"), "secrets must be base64 encoded"),
        (config("'*.', secrets", "{identity: {}}"), "using overlapping resources"),
        (
            config("Secrets", "{identity: {}}"),
            "resources[0].resources[0]: Invalid value: \"Secrets\": resource name should not contain capital letters",
        ),
        (config("events.events.k8s.io", "{identity: {}}"), "Use 'events' instead"),
        ("kind: Pod\napiVersion: v1".into(), "got unexpected config type: v1, Kind=Pod"),
    ];
    for (text, expected) in cases {
        let Err(error) = Rules::parse(text.as_bytes()) else { panic!("taken: {text}") };
        assert!(error.to_string().contains(expected), "{error} for {text}");
    }
    let masked = config("'*.*'", "{identity: {}}") + "- resources: [secrets]\n  providers: [{identity: {}}]\n";
    let error = Rules::parse(masked.as_bytes()).err().expect("refused");
    assert_eq!(error.to_string(), "resource \"secrets\" is masked by earlier rule \"*.*\"");
}
