//! The `/etc/hosts` of a pod's containers, with upstream's exact text, and its hostname. Pure.

use std::fmt::Write;

use k8s_openapi::api::core::v1::{HostAlias, Pod};

use crate::pod::spec;

const HEADER: &str = "# Kubernetes-managed hosts file.\n";
const HEADER_HOST: &str = "# Kubernetes-managed hosts file (host network).\n";
const LOCAL: &str = "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\nfe00::0\tip6-localnet\nfe00::0\tip6-mcastprefix\nfe00::1\tip6-allnodes\nfe00::2\tip6-allrouters\n";
const LONGEST: usize = 63;

/// Host and domain name of a pod; the domain is empty without a subdomain.
#[must_use]
pub fn names(pod: &Pod, node: &str, cluster_domain: &str) -> (String, String) {
    let pod_spec = spec::of(pod);
    if let Some(name) = pod_spec.hostname_override.as_ref().filter(|n| !n.is_empty()) {
        return (name.clone(), String::new());
    }
    if spec::host_network(pod_spec) {
        return (node.into(), String::new());
    }
    let own = pod_spec.hostname.as_deref().filter(|h| !h.is_empty()).unwrap_or_else(|| spec::name(pod));
    let host = own.get(..LONGEST.min(own.len())).unwrap_or(own).trim_end_matches(['-', '.']).to_owned();
    let domain = match pod_spec.subdomain.as_deref().filter(|s| !s.is_empty()) {
        Some(subdomain) => format!("{subdomain}.{}.svc.{cluster_domain}", spec::namespace(pod)),
        None => String::new(),
    };
    (host, domain)
}

/// The kernel's hostname of a pod: the whole name if the pod wants it.
#[must_use]
pub fn hostname(pod: &Pod, node: &str, cluster_domain: &str) -> String {
    let (host, domain) = names(pod, node, cluster_domain);
    if spec::of(pod).set_hostname_as_fqdn == Some(true) && !domain.is_empty() {
        format!("{host}.{domain}")
    } else {
        host
    }
}

/// The file of a pod with a network of its own.
#[must_use]
pub fn managed(ips: &[String], names: &(String, String), aliases: &[HostAlias]) -> String {
    let mut text = format!("{HEADER}{LOCAL}");
    let (host, domain) = names;
    for ip in ips {
        let line =
            if domain.is_empty() { format!("{ip}\t{host}\n") } else { format!("{ip}\t{host}.{domain}\t{host}\n") };
        text.push_str(&line);
    }
    text + &added(aliases)
}

/// The file of a pod on the node's network.
#[must_use]
pub fn of_node(file: &str, aliases: &[HostAlias]) -> String {
    format!("{HEADER_HOST}{file}{}", added(aliases))
}

fn added(aliases: &[HostAlias]) -> String {
    let mut text = String::new();
    if !aliases.is_empty() {
        text.push_str("\n# Entries added by HostAliases.\n");
    }
    for alias in aliases {
        let names = alias.hostnames.as_deref().unwrap_or_default().join("\t");
        writeln!(text, "{}\t{names}", alias.ip).expect("writing to a String does not fail");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_subdomain_gives_the_whole_name_first() {
        let spec = json!({"containers": [], "hostname": "h", "subdomain": "s", "setHostnameAsFQDN": true});
        let pod: Pod =
            serde_json::from_value(json!({"metadata": {"name": "p", "namespace": "d"}, "spec": spec})).expect("a pod");
        let names = names(&pod, "n", "cluster.local");
        let text = managed(
            &["10.0.0.1".into()],
            &names,
            &[HostAlias { ip: "1.2.3.4".into(), hostnames: Some(vec!["a".into(), "b".into()]) }],
        );
        assert!(
            text.ends_with("10.0.0.1\th.s.d.svc.cluster.local\th\n\n# Entries added by HostAliases.\n1.2.3.4\ta\tb\n"),
            "{text}"
        );
        assert_eq!(hostname(&pod, "n", "cluster.local"), "h.s.d.svc.cluster.local");
    }
}
