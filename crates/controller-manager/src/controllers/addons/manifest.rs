//! Manifests with words to fill in.

use nakhoda_api::Object;
use nakhoda_api::wire::{Media, decode};

use crate::hash;
use crate::options::Options;

/// The annotation with the hash of what was applied last.
pub const HASH: &str = "nakhoda.dev/manifest-hash";

/// The files, in the order in which they are applied.
pub const ALL: &[(&str, &str)] = &[
    ("cluster", include_str!("../../../../../deploy/addons/cluster.yaml")),
    ("pressure", include_str!("../../../../../deploy/addons/pressure.yaml")),
    ("proxy", include_str!("../../../../../deploy/addons/proxy.yaml")),
    ("dns", include_str!("../../../../../deploy/addons/dns.yaml")),
];

/// What is filled in.
#[derive(Clone, Debug)]
pub struct Facts(Vec<(&'static str, String)>);

/// One object of a file.
#[derive(Clone, Debug)]
pub struct Manifest {
    /// The object, with its hash on it.
    pub object: Object,
    /// The hash.
    pub hash: String,
}

// === impl Facts ===

impl Facts {
    /// What the flags say.
    #[must_use]
    pub fn of(options: &Options) -> Self {
        Self(vec![
            ("TAG", options.addon_image_tag.clone()),
            ("APISERVERS", options.advertise_apiserver.join(",")),
            ("CLUSTER_CIDR", options.cluster_cidr.clone()),
            ("SERVICE_CIDR", options.service_cluster_ip_range.clone()),
            ("CLUSTER_DOMAIN", options.cluster_domain.clone()),
            ("CLUSTER_DNS", options.cluster_dns.clone()),
        ])
    }

    fn fill(&self, text: &str) -> String {
        self.0.iter().fold(text.to_owned(), |text, (word, value)| text.replace(&format!("${{{word}}}"), value))
    }
}

/// The objects of a file; none if there is no such file.
#[must_use]
pub fn load(name: &str, facts: &Facts) -> Vec<Manifest> {
    let file = ALL.iter().find(|(n, _)| *n == name).map(|(_, text)| facts.fill(text)).unwrap_or_default();
    file.split("\n---\n").filter(|part| !part.trim().is_empty()).map(read).collect()
}

fn read(text: &str) -> Manifest {
    let decoded = decode(Media::Yaml, text.as_bytes(), None).expect("the embedded manifests are tested");
    let (mut object, hash) = (decoded.object, hash::safe_encode(&hash::fnv(text.as_bytes()).to_string()));
    object.set_at(&["metadata", "annotations", HASH], hash.clone().into());
    Manifest { object, hash }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;
    use nakhoda_api::kinds::apps::DaemonSet;

    fn facts(dns: &str) -> Facts {
        let flags = ["controller-manager", "--kubeconfig", "x", "--advertise-apiserver", "https://a:6443"];
        Facts::of(&Options::parse_from(flags.into_iter().chain(["--cluster-dns", dns])))
    }

    #[test]
    fn every_manifest_is_whole_and_known_to_the_model() {
        for (name, text) in ALL {
            for part in facts("10.96.0.10").fill(text).split("\n---\n") {
                let decoded = decode(Media::Yaml, part.as_bytes(), None).expect("YAML");
                assert_eq!(decoded.faults, Vec::<String>::new(), "{name}");
                assert!(!part.contains("${"), "{name}: something is not filled in");
            }
        }
    }

    #[test]
    fn the_hash_moves_with_the_facts_alone() {
        let hashes = |facts: Facts| load("dns", &facts).into_iter().map(|m| m.hash).collect::<Vec<_>>();
        assert_eq!(hashes(facts("10.96.0.10")), hashes(facts("10.96.0.10")));
        assert_ne!(hashes(facts("10.96.0.10")), hashes(facts("10.97.0.10")));
    }

    #[test]
    fn the_daemon_sets_are_daemon_sets() {
        for name in ["proxy", "dns"] {
            let manifests = load(name, &facts("10.96.0.10"));
            let set = manifests.iter().find(|m| m.object.kind() == "DaemonSet").expect("there");
            let set: DaemonSet = set.object.typed().expect("fits");
            assert_eq!(set.metadata.name.as_deref(), Some(name));
        }
    }
}
