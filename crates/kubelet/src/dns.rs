//! How a pod resolves names: its `resolv.conf` out of its policy, the cluster's DNS and the node's own
//! file. Pure. Upstream's limits are applied: 3 servers, 32 search domains of 2048 characters together.

use std::collections::BTreeMap;
use std::path::PathBuf;

use k8s_openapi::api::core::v1::Pod;

use crate::cri::v1::DnsConfig;
use crate::pod::spec;

const SERVERS: usize = 3;
const SEARCHES: usize = 32;
const SEARCH_CHARACTERS: usize = 2048;

/// The cluster's DNS as this node is told it.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// Addresses of the cluster's DNS.
    pub servers: Vec<String>,
    /// For example `cluster.local`.
    pub domain: String,
    /// The node's own file.
    pub resolv_conf: PathBuf,
}

/// Reads a `resolv.conf`.
#[must_use]
pub fn parse(text: &str) -> DnsConfig {
    let mut config = DnsConfig::default();
    let lines = text.lines().map(str::trim).filter(|line| !line.starts_with(['#', ';']));
    for line in lines {
        let mut words = line.split_whitespace();
        let first = words.next();
        let rest = || line.split_whitespace().skip(1);
        match first {
            Some("nameserver") => config.servers.extend(words.next().map(str::to_owned)),
            Some("search") => {
                config.searches = rest().filter(|s| *s != ".").map(|s| s.trim_end_matches('.').to_owned()).collect();
            }
            Some("options") => config.options = rest().map(str::to_owned).collect(),
            _ => {}
        }
    }
    config
}

/// The configuration of a pod, given what the node's own file says.
#[must_use]
pub fn of(settings: &Settings, pod: &Pod, node: DnsConfig) -> DnsConfig {
    let pod_spec = spec::of(pod);
    let cluster = || DnsConfig {
        servers: settings.servers.clone(),
        searches: searches(&settings.domain, spec::namespace(pod), &node.searches),
        options: vec!["ndots:5".into()],
    };
    let has_cluster = !settings.servers.is_empty();
    let mut config = match pod_spec.dns_policy.as_deref() {
        Some("None") => DnsConfig::default(),
        Some("ClusterFirstWithHostNet") if has_cluster => cluster(),
        Some("ClusterFirst") | None if has_cluster && !spec::host_network(pod_spec) => cluster(),
        _ => node,
    };
    if let Some(own) = &pod_spec.dns_config {
        config.servers = distinct(config.servers.into_iter().chain(own.nameservers.iter().flatten().cloned()));
        config.searches = distinct(config.searches.into_iter().chain(own.searches.iter().flatten().cloned()));
        let named =
            |text: &String| text.split_once(':').map_or((text.clone(), String::new()), |(k, v)| (k.into(), v.into()));
        let mut options: BTreeMap<String, String> = config.options.iter().map(named).collect();
        for option in own.options.iter().flatten() {
            options.insert(option.name.clone().unwrap_or_default(), option.value.clone().unwrap_or_default());
        }
        let text = |(name, value): (String, String)| if value.is_empty() { name } else { format!("{name}:{value}") };
        config.options = options.into_iter().map(text).collect();
    }
    limit(config)
}

fn searches(domain: &str, namespace: &str, node: &[String]) -> Vec<String> {
    if domain.is_empty() {
        return node.to_vec();
    }
    let own = [format!("{namespace}.svc.{domain}"), format!("svc.{domain}"), domain.to_owned()];
    distinct(own.into_iter().chain(node.iter().cloned()))
}

fn distinct(all: impl Iterator<Item = String>) -> Vec<String> {
    let mut list: Vec<String> = Vec::new();
    for one in all {
        if !list.contains(&one) {
            list.push(one);
        }
    }
    list
}

fn limit(mut config: DnsConfig) -> DnsConfig {
    config.servers.truncate(SERVERS);
    config.searches.truncate(SEARCHES);
    config.searches.retain(|search| search.len() <= 253);
    while config.searches.join(" ").len() > SEARCH_CHARACTERS {
        config.searches.pop();
    }
    config
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn ask(spec: Value) -> DnsConfig {
        let settings =
            Settings { servers: vec!["10.96.0.10".into()], domain: "cluster.local".into(), ..Settings::default() };
        let pod = json!({"metadata": {"name": "p", "namespace": "d"}, "spec": spec});
        of(&settings, &serde_json::from_value(pod).expect("a pod"), parse("nameserver 1.1.1.1\nsearch lan. x\n"))
    }

    #[test]
    fn cluster_first_asks_only_the_cluster() {
        let config = ask(json!({"containers": [], "dnsPolicy": "ClusterFirst"}));
        assert_eq!(config.servers, ["10.96.0.10"]);
        assert_eq!(config.searches, ["d.svc.cluster.local", "svc.cluster.local", "cluster.local", "lan", "x"]);
        assert_eq!(config.options, ["ndots:5"]);
    }

    #[test]
    fn the_node_network_and_default_use_the_nodes_file() {
        for spec in [
            json!({"containers": [], "hostNetwork": true, "dnsPolicy": "ClusterFirst"}),
            json!({"containers": [], "dnsPolicy": "Default"}),
        ] {
            assert_eq!(ask(spec).servers, ["1.1.1.1"]);
        }
    }

    #[test]
    fn none_has_only_what_the_pod_says() {
        let own = json!({"nameservers": ["9.9.9.9"], "searches": ["a"], "options": [{"name": "ndots", "value": "2"}, {"name": "edns0"}]});
        let config = ask(json!({"containers": [], "dnsPolicy": "None", "dnsConfig": own}));
        assert_eq!((config.servers, config.searches), (vec!["9.9.9.9".to_owned()], vec!["a".to_owned()]));
        assert_eq!(config.options, ["edns0", "ndots:2"]);
    }
}
