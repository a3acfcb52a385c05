//! Every part of a registry's folder stands in the registry.

use nakhoda_tests::source::root;

/// A registry, its folder, and the files there that parts share.
const REGISTRIES: &[(&str, &str, &[&str])] = &[
    ("crates/apiserver/src/admission.rs", "crates/apiserver/src/admission", &[]),
    ("crates/apiserver/src/sub.rs", "crates/apiserver/src/sub", &[]),
    ("crates/controller-manager/src/controllers.rs", "crates/controller-manager/src/controllers", &[]),
    ("crates/scheduler/src/plugin.rs", "crates/scheduler/src/plugin", &[]),
    ("crates/kubelet/src/volume.rs", "crates/kubelet/src/volume", &[]),
    ("crates/ctl/src/cmd.rs", "crates/ctl/src/cmd", &[]),
];

fn names(folder: &str) -> Vec<String> {
    let entries = std::fs::read_dir(root().join(folder)).unwrap_or_else(|e| panic!("{folder}: {e}"));
    let paths = entries.filter_map(Result::ok).map(|e| e.path()).filter(|p| p.extension().is_some_and(|e| e == "rs"));
    paths.filter_map(|p| Some(p.file_stem()?.to_string_lossy().into_owned())).collect()
}

fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|e| panic!("{path}: {e}"))
}

fn mentions(registry: &str, name: &str) -> bool {
    registry.split(|c: char| !c.is_alphanumeric() && c != '_').any(|word| word == name)
}

#[test]
fn every_file_of_a_registrys_folder_is_registered() {
    for (registry, folder, shared) in REGISTRIES {
        let text = read(registry);
        for name in names(folder).iter().filter(|n| !shared.contains(&n.as_str())) {
            assert!(mentions(&text, name), "{folder}/{name}.rs is not in {registry}");
        }
    }
}

#[test]
fn every_kind_is_registered() {
    let text = read("crates/apiserver/src/kinds.rs");
    let groups = std::fs::read_dir(root().join("crates/apiserver/src/kinds")).expect("the kinds' folder");
    for group in groups.filter_map(Result::ok).filter(|e| e.path().is_dir()) {
        let group = group.file_name().to_string_lossy().into_owned();
        for name in names(&format!("crates/apiserver/src/kinds/{group}")) {
            assert!(mentions(&text, &name), "kinds/{group}/{name}.rs is not in kinds.rs");
        }
    }
}
