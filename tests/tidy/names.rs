//! Who may name what.

use nakhoda_tests::source::{File, rust_files};

/// A word, and the paths that may hold it.
const ONLY: &[(&str, &[&str])] = &[
    ("etcd_client", &["crates/store/src/etcd"]),
    ("include_proto!(\"runtime.v1\")", &["crates/kubelet/src/cri.rs"]),
    ("Command::new(\"nft\")", &["crates/proxy/src/nft.rs"]),
    (
        "axum::",
        &[
            "crates/apiserver/src/aggregation/proxy.rs",
            "crates/apiserver/src/app/matrix",
            "crates/apiserver/src/rest",
            "crates/apiserver/src/serve",
            "crates/apiserver/src/testing",
            "crates/kubelet/src/serve",
            "crates/kubelet/src/server",
            "crates/streams/src",
        ],
    ),
    ("std::sync::Mutex", &[]),
    // The simulation is a test: what it starts ends with its runtime.
    ("tokio::spawn(", &["crates/controller-manager/src/simulation", "crates/daemon/src/tasks.rs"]),
    ("println!", &["crates/ctl/src"]),
];

fn sources() -> Vec<File> {
    rust_files("crates").into_iter().filter(|f| f.path.contains("/src/")).collect()
}

fn code_of(file: &File) -> String {
    file.code().join("\n")
}

#[test]
fn what_one_part_knows_no_other_names() {
    let mut faults = Vec::new();
    for file in sources() {
        let code = code_of(&file);
        for (word, paths) in ONLY {
            let allowed = paths.iter().any(|p| file.path.starts_with(p)) || file.path.ends_with("tests.rs");
            if !allowed && code.replace("eprintln!", "").contains(word) {
                faults.push(format!("{} names {word}", file.path));
            }
        }
    }
    assert!(faults.is_empty(), "{faults:#?}");
}

#[test]
fn every_file_says_what_it_is() {
    let silent: Vec<String> = sources()
        .into_iter()
        .filter(|f| !f.path.ends_with("tests.rs") && !f.path.contains("/tests/") && !f.text.starts_with("//!"))
        .map(|f| f.path)
        .collect();
    assert!(silent.is_empty(), "files that do not begin with //!: {silent:#?}");
}

#[test]
fn nothing_is_left_to_do() {
    let words = ["todo!(", "unimplemented!(", "dbg!("];
    let faults: Vec<String> =
        sources().into_iter().filter(|f| words.iter().any(|w| code_of(f).contains(w))).map(|f| f.path).collect();
    assert!(faults.is_empty(), "{faults:#?}");
}
