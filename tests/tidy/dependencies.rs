//! Who depends on whom, which licences come in, and that each crate comes in one version.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use nakhoda_tests::source::root;
use serde_json::Value;

/// Each of our crates with those of ours that it may depend on.
const ALLOWED: &[(&str, &[&str])] = &[
    ("api", &[]),
    ("rpc", &["api"]),
    ("daemon", &["api"]),
    ("streams", &["api"]),
    ("store", &["api", "daemon"]),
    ("client", &["api", "rpc", "daemon"]),
    ("apiserver", &["api", "rpc", "daemon", "store", "streams"]),
    ("scheduler", &["api", "rpc", "daemon", "client"]),
    ("controller-manager", &["api", "rpc", "daemon", "client"]),
    ("kubelet", &["api", "rpc", "daemon", "client", "streams"]),
    ("proxy", &["api", "rpc", "daemon", "client"]),
    ("dns", &["api", "rpc", "daemon", "client"]),
    ("ctl", &["api", "rpc", "daemon", "client"]),
    ("tests", &["api", "daemon", "client", "scheduler"]),
];

/// Crates of which two versions come in because two of our dependencies need different ones.
const TWICE: &str = include_str!("twice.txt");

fn metadata() -> Value {
    let output = Command::new(env!("CARGO"))
        .args([
            "metadata",
            "--format-version",
            "1",
            "--offline",
            "--locked",
            "--filter-platform",
            "x86_64-unknown-linux-gnu",
        ])
        .current_dir(root())
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("cargo metadata is JSON")
}

fn packages(metadata: &Value) -> impl Iterator<Item = &Value> {
    metadata["packages"].as_array().into_iter().flatten()
}

fn own(name: &str) -> Option<&str> {
    name.strip_prefix("nakhoda-")
}

#[test]
fn crates_depend_only_on_the_layers_below_them() {
    let metadata = metadata();
    let allowed: BTreeMap<&str, BTreeSet<&str>> =
        ALLOWED.iter().map(|(n, d)| (*n, d.iter().copied().collect())).collect();
    for package in packages(&metadata) {
        let Some(name) = package["name"].as_str().and_then(own) else { continue };
        let allowed = allowed.get(name).unwrap_or_else(|| panic!("{name} has no line in ALLOWED"));
        let dependencies = package["dependencies"].as_array().into_iter().flatten().filter(|d| d["kind"].is_null());
        for dependency in dependencies.filter_map(|d| d["name"].as_str()).filter_map(own) {
            assert!(allowed.contains(dependency), "{name} must not depend on {dependency}");
        }
    }
}

#[test]
fn licences_are_free_and_none_is_gpl() {
    let metadata = metadata();
    for package in packages(&metadata) {
        let name = package["name"].as_str().unwrap_or_default();
        let licence = package["license"].as_str().unwrap_or_default();
        let free = [
            "MIT",
            "Apache-2.0",
            "BSD",
            "ISC",
            "Unicode-3.0",
            "Zlib",
            "CC0-1.0",
            "0BSD",
            "Unlicense",
            "CDLA-Permissive",
            "MPL-2.0",
        ];
        assert!(free.iter().any(|p| licence.contains(p)), "{name} is licensed as {licence:?}");
        assert!(!name.starts_with("aws-lc") && name != "openssl-sys", "{name} must not come in");
    }
}

#[test]
fn each_crate_comes_in_one_version() {
    let metadata = metadata();
    let excused: BTreeSet<&str> =
        TWICE.lines().filter(|l| !l.starts_with('#')).filter_map(|l| l.split(' ').next()).collect();
    let mut versions: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for package in packages(&metadata) {
        let (name, version) =
            (package["name"].as_str().unwrap_or_default(), package["version"].as_str().unwrap_or_default());
        versions.entry(name).or_default().insert(version);
    }
    let twice: Vec<_> = versions.iter().filter(|(name, v)| v.len() > 1 && !excused.contains(*name)).collect();
    assert!(twice.is_empty(), "in two versions, and not excused in twice.txt: {twice:?}");
}
