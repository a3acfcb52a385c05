//! The variables by which containers find Services without DNS.

use std::sync::Arc;

use k8s_openapi::api::core::v1::Service;

/// Variables for the Services of a namespace, and always for `default/kubernetes`.
pub(super) fn variables(services: &[Arc<Service>], namespace: &str, links: bool) -> Vec<(String, String)> {
    let mut chosen: Vec<&Arc<Service>> = services.iter().filter(|s| counts(s, namespace, links)).collect();
    chosen.sort_by_key(|s| s.metadata.name.clone());
    chosen.into_iter().flat_map(|s| of(s)).collect()
}

fn counts(service: &Service, namespace: &str, links: bool) -> bool {
    let in_namespace = |wanted: &str| service.metadata.namespace.as_deref() == Some(wanted);
    let master = in_namespace("default") && service.metadata.name.as_deref() == Some("kubernetes");
    // A Service of that name in the pod's own namespace wins over the master's, as upstream has it.
    has_ip(service) && (master || (links && in_namespace(namespace)))
}

fn has_ip(service: &Service) -> bool {
    ip(service).is_some_and(|ip| !ip.is_empty() && ip != "None")
}

fn ip(service: &Service) -> Option<&str> {
    service.spec.as_ref()?.cluster_ip.as_deref()
}

fn of(service: &Service) -> Vec<(String, String)> {
    let Some(spec) = &service.spec else { return Vec::new() };
    let name = upper(service.metadata.name.as_deref().unwrap_or_default());
    let ip = ip(service).unwrap_or_default();
    let host = if ip.contains(':') { format!("[{ip}]") } else { ip.to_owned() };
    let ports = spec.ports.as_deref().unwrap_or_default();
    let Some(first) = ports.first() else { return Vec::new() };
    let mut vars =
        vec![(format!("{name}_SERVICE_HOST"), ip.to_owned()), (format!("{name}_SERVICE_PORT"), first.port.to_string())];
    for port in ports {
        if let Some(label) = port.name.as_deref().filter(|n| !n.is_empty()) {
            vars.push((format!("{name}_SERVICE_PORT_{}", upper(label)), port.port.to_string()));
        }
    }
    for (index, port) in ports.iter().enumerate() {
        let protocol = port.protocol.as_deref().unwrap_or("TCP");
        let lower = protocol.to_lowercase();
        let url = format!("{lower}://{host}:{}", port.port);
        let prefix = format!("{name}_PORT_{}_{}", port.port, protocol.to_uppercase());
        if index == 0 {
            vars.push((format!("{name}_PORT"), url.clone()));
        }
        vars.push((prefix.clone(), url));
        vars.push((format!("{prefix}_PROTO"), lower));
        vars.push((format!("{prefix}_PORT"), port.port.to_string()));
        vars.push((format!("{prefix}_ADDR"), ip.to_owned()));
    }
    vars
}

fn upper(name: &str) -> String {
    name.to_uppercase().replace('-', "_")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_master_is_told_everywhere_and_others_in_their_namespace() {
        let service = |ns: &str, name: &str| {
            let spec = json!({"clusterIP": "10.0.0.1", "ports": [{"name": "https", "port": 443, "protocol": "TCP"}]});
            Arc::new(
                serde_json::from_value(json!({"metadata": {"name": name, "namespace": ns}, "spec": spec}))
                    .expect("a service"),
            )
        };
        let all = [service("default", "kubernetes"), service("a", "my-web"), service("b", "other")];
        let vars = variables(&all, "a", true);
        let get = |name: &str| vars.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str());
        assert_eq!(get("KUBERNETES_SERVICE_HOST"), Some("10.0.0.1"));
        assert_eq!(get("MY_WEB_PORT_443_TCP"), Some("tcp://10.0.0.1:443"));
        assert_eq!(get("MY_WEB_SERVICE_PORT_HTTPS"), Some("443"));
        assert_eq!(get("OTHER_SERVICE_HOST"), None);
        assert!(variables(&all, "a", false).iter().all(|(n, _)| n.starts_with("KUBERNETES_")));
    }
}
