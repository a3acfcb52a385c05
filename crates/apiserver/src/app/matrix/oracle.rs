//! The expectation, computed from the stored objects as JSON, rule by rule as upstream documents them. Nothing here
//! calls what it checks.

use std::collections::BTreeSet;

use serde_json::Value;

use super::callers::Who;
use super::cells::Cell;

/// The objects by which is decided.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct World {
    pub(super) cluster_roles: Vec<Value>,
    pub(super) roles: Vec<Value>,
    pub(super) cluster_role_bindings: Vec<Value>,
    pub(super) role_bindings: Vec<Value>,
    pub(super) pods: Vec<Value>,
    pub(super) volumes: Vec<Value>,
    pub(super) attachments: Vec<Value>,
    pub(super) slices: Vec<Value>,
}

// === impl World ===

impl World {
    pub(super) fn is_empty(&self) -> bool {
        self.cluster_roles.is_empty()
    }

    /// Whether a question about a resource is answered with yes.
    pub(super) fn allows(&self, who: &Who, cell: &Cell) -> bool {
        // a session is opened by GET, too, but it changes things (the class of the nodes/proxy findings of 2026)
        let opens = ["attach", "exec", "portforward"].contains(&cell.sub) && cell.verb == "get";
        self.grants(who, cell) && (!opens || self.grants(who, &Cell { verb: "create", ..cell.clone() }))
    }

    fn grants(&self, who: &Who, cell: &Cell) -> bool {
        let granted = self.granted(who, cell.namespace).iter().any(|rule| covers(rule, cell));
        granted || node(who).is_some_and(|node| self.node_may(node, cell))
    }

    /// Whether a path may be visited.
    pub(super) fn allows_path(&self, who: &Who, method: &str, path: &str) -> bool {
        let path = path.replace("%2f", "/");
        let by = |rule: &Value| {
            any(&rule["verbs"], &[method]) && texts(&rule["nonResourceURLs"]).any(|url| matches_path(url, &path))
        };
        self.granted(who, "").iter().any(by)
            || node(who).is_some_and(|_| self.rules("ClusterRole", "", "system:node").iter().any(by))
    }

    /// All rules that a user has in a namespace, or in the whole cluster.
    fn granted(&self, who: &Who, namespace: &str) -> Vec<Value> {
        let inside =
            self.role_bindings.iter().filter(|b| !namespace.is_empty() && b["metadata"]["namespace"] == namespace);
        let bindings = self.cluster_role_bindings.iter().chain(inside);
        let mine = bindings.filter(|b| list(&b["subjects"]).any(|s| is(s, who, &b["metadata"]["namespace"])));
        mine.flat_map(|b| {
            let (kind, name) = (text(&b["roleRef"]["kind"]), text(&b["roleRef"]["name"]));
            self.rules(kind, text(&b["metadata"]["namespace"]), name)
        })
        .collect()
    }

    fn rules(&self, kind: &str, namespace: &str, name: &str) -> Vec<Value> {
        let pool = if kind == "Role" { &self.roles } else { &self.cluster_roles };
        let place = if kind == "Role" { namespace } else { "" };
        let found =
            pool.iter().find(|r| text(&r["metadata"]["name"]) == name && text(&r["metadata"]["namespace"]) == place);
        let Some(role) = found else { return Vec::new() };
        let selectors: Vec<&Value> = list(&role["aggregationRule"]["clusterRoleSelectors"]).collect();
        if selectors.is_empty() {
            return list(&role["rules"]).cloned().collect();
        }
        let labelled = |other: &&Value| selectors.iter().any(|s| has_labels(other, &s["matchLabels"]));
        let others =
            self.cluster_roles.iter().filter(|other| text(&other["metadata"]["name"]) != name).filter(labelled);
        others.flat_map(|other| self.rules("ClusterRole", "", text(&other["metadata"]["name"]))).collect()
    }

    /// What a kubelet may: upstream's table, resource by resource.
    fn node_may(&self, node: &str, cell: &Cell) -> bool {
        let (verb, sub, name) = (cell.verb, cell.sub, selected(cell, "metadata.name").unwrap_or(cell.name));
        let get = verb == "get" && sub.is_empty();
        let read = matches!(verb, "get" | "list" | "watch") && sub.is_empty();
        let own_write = |names: bool| match verb {
            "create" => true,
            "get" | "update" | "patch" | "delete" => names && name == node,
            _ => false,
        };
        match (cell.group.as_str(), cell.resource) {
            ("", "secrets") => read && self.refers(node, "secret", cell.namespace, name),
            ("", "configmaps") => read && self.refers(node, "configmap", cell.namespace, name),
            ("", "persistentvolumeclaims") if sub == "status" => {
                matches!(verb, "update" | "patch") && self.refers(node, "claim", cell.namespace, name)
            }
            ("", "persistentvolumeclaims") => get && self.refers(node, "claim", cell.namespace, name),
            ("", "persistentvolumes") => get && self.holds_volume(node, name),
            ("resource.k8s.io", "resourceclaims") => get && self.refers(node, "device", cell.namespace, name),
            ("storage.k8s.io", "volumeattachments") => {
                get && by_name(&self.attachments, name).any(|a| a["spec"]["nodeName"] == node)
            }
            ("", "serviceaccounts") => {
                (get || verb == "create" && sub == "token") && self.refers(node, "account", cell.namespace, name)
            }
            ("coordination.k8s.io", "leases") => cell.namespace == "kube-node-lease" && own_write(true),
            ("storage.k8s.io", "csinodes") => sub.is_empty() && own_write(true),
            ("resource.k8s.io", "resourceslices") if sub.is_empty() => match verb {
                "create" => true,
                "list" | "watch" | "deletecollection" => selected(cell, "spec.nodeName") == Some(node),
                _ => by_name(&self.slices, name).any(|s| s["spec"]["nodeName"] == node),
            },
            ("", "nodes") => match (sub, verb) {
                ("", "create" | "update" | "patch") | ("status", "update" | "patch") => true,
                // more than upstream lets them: the routes to the pods of all nodes are kept by each
                ("", "get" | "list" | "watch") => true,
                // ours alone
                ("archives", "get") => name == node,
                _ => false,
            },
            ("", "pods") => match (sub, verb) {
                ("", "get") => self.runs(node, cell.namespace, name),
                ("", "list" | "watch") => {
                    selected(cell, "spec.nodeName") == Some(node) || self.runs(node, cell.namespace, name)
                }
                ("", "create" | "delete") | ("status", "update" | "patch") | ("eviction", "create") => true,
                _ => false,
            },
            ("certificates.k8s.io", "podcertificaterequests") => match verb {
                "create" => sub.is_empty(),
                "list" | "watch" => selected(cell, "spec.nodeName") == Some(node),
                _ => false,
            },
            _ => self.rules("ClusterRole", "", "system:node").iter().any(|rule| covers(rule, cell)),
        }
    }

    fn runs(&self, node: &str, namespace: &str, name: &str) -> bool {
        let mut here = self.pods.iter().filter(|pod| pod["spec"]["nodeName"] == node);
        here.any(|pod| pod["metadata"]["namespace"] == namespace && pod["metadata"]["name"] == name)
    }

    fn refers(&self, node: &str, what: &str, namespace: &str, name: &str) -> bool {
        let here = self.pods.iter().filter(|pod| {
            pod["spec"]["nodeName"] == node
                && pod["metadata"]["namespace"] == namespace
                // what a mirror pod names was never asked for by the API
                && pod["metadata"]["annotations"]["kubernetes.io/config.mirror"].is_null()
        });
        here.flat_map(references).any(|found| found == (what, name.to_owned()))
    }

    fn holds_volume(&self, node: &str, name: &str) -> bool {
        by_name(&self.volumes, name).any(|volume| {
            let claim = &volume["spec"]["claimRef"];
            self.refers(node, "claim", text(&claim["namespace"]), text(&claim["name"]))
        })
    }
}

/// Everything that a pod names, found by walking all of it.
fn references(pod: &Value) -> BTreeSet<(&'static str, String)> {
    let mut found = BTreeSet::new();
    walk(&pod["spec"], "", &mut |key, value| {
        let named = |field: &str| text(&value[field]).to_owned();
        let reference = match key {
            "serviceAccountName" => ("account", text(value).to_owned()),
            "imagePullSecrets" | "secretRef" | "secretKeyRef" | "nodePublishSecretRef" => ("secret", named("name")),
            "secret" if value["secretName"].is_string() => ("secret", named("secretName")),
            "secret" => ("secret", named("name")),
            "configMap" | "configMapRef" | "configMapKeyRef" => ("configmap", named("name")),
            "persistentVolumeClaim" => ("claim", named("claimName")),
            "resourceClaims" => ("device", named("resourceClaimName")),
            "volumes" if value["ephemeral"].is_object() => {
                ("claim", format!("{}-{}", text(&pod["metadata"]["name"]), text(&value["name"])))
            }
            _ => return,
        };
        found.insert(reference);
    });
    found
}

/// Every value with the key that it, or the list that it is in, stands under.
fn walk(value: &Value, key: &str, see: &mut impl FnMut(&str, &Value)) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| walk(item, key, see)),
        Value::Object(fields) => {
            see(key, value);
            fields.iter().for_each(|(key, value)| walk(value, key, see));
        }
        _ => see(key, value),
    }
}

fn node(who: &Who) -> Option<&str> {
    who.groups.iter().find(|group| *group == "system:nodes")?;
    who.name.strip_prefix("system:node:")
}

fn is(subject: &Value, who: &Who, namespace: &Value) -> bool {
    let name = text(&subject["name"]);
    match text(&subject["kind"]) {
        "User" => name == who.name,
        "Group" => who.groups.iter().any(|group| group == name),
        "ServiceAccount" => {
            let place = subject["namespace"].as_str().unwrap_or_else(|| text(namespace));
            who.name == format!("system:serviceaccount:{place}:{name}")
        }
        _ => false,
    }
}

fn covers(rule: &Value, cell: &Cell) -> bool {
    let whole = if cell.sub.is_empty() { cell.resource.to_owned() } else { format!("{}/{}", cell.resource, cell.sub) };
    let mut ways = vec![whole];
    if !cell.sub.is_empty() {
        ways.push(format!("*/{}", cell.sub));
    }
    let ways: Vec<&str> = ways.iter().map(String::as_str).collect();
    let name = selected(cell, "metadata.name").unwrap_or(cell.name);
    any(&rule["verbs"], &[cell.verb])
        && any(&rule["apiGroups"], &[&cell.group])
        && any(&rule["resources"], &ways)
        && (list(&rule["resourceNames"]).next().is_none() || texts(&rule["resourceNames"]).any(|n| n == name))
}

/// Whether a list has one of the texts, or the star.
fn any(list: &Value, wanted: &[&str]) -> bool {
    texts(list).any(|text| text == "*" || wanted.contains(&text))
}

fn matches_path(url: &str, path: &str) -> bool {
    url == path || url.ends_with('*') && path.starts_with(url.trim_end_matches('*'))
}

fn selected<'a>(cell: &'a Cell, field: &str) -> Option<&'a str> {
    cell.fields.split(',').find_map(|term| term.strip_prefix(field)?.strip_prefix('='))
}

fn has_labels(object: &Value, labels: &Value) -> bool {
    labels
        .as_object()
        .is_some_and(|labels| labels.iter().all(|(key, value)| object["metadata"]["labels"][key] == *value))
}

fn by_name<'a>(objects: &'a [Value], name: &'a str) -> impl Iterator<Item = &'a Value> {
    objects.iter().filter(move |object| object["metadata"]["name"] == name)
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn texts(value: &Value) -> impl Iterator<Item = &str> {
    list(value).filter_map(Value::as_str)
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
