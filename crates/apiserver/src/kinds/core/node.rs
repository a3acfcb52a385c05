//! Node: a machine. Its kubelet writes most of it; pod networks and the provider's id are set once.

use nakhoda_api::Scope;
use nakhoda_api::field::{Errors, Path};
use nakhoda_api::kinds::core::{Node, NodeSpec, NodeStatus};
use nakhoda_api::names;

use crate::kind::{Columns, Cx, Fields, Info, Kind, STATUS, Sub};
use crate::rules::check::{each, list, text};
use crate::rules::defaults::{self, quantities};
use crate::rules::pod::resources;
use crate::rules::taint;

mod cells;

/// The kind.
pub struct Nodes;

/// What `proxy` of a node, pod or service serves.
pub const PROXY_VERBS: &[&str] = &["create", "delete", "get", "patch", "update"];

impl Kind for Nodes {
    type Object = Node;

    fn info() -> Info {
        Info {
            short: &["no"],
            // what kubelets fetch, and what `ctl image` speaks to
            private: &[
                Sub { name: "archives", verbs: &["get"], kind: None },
                Sub { name: "images", verbs: &["create", "get"], kind: None },
            ],
            subresources: &[
                Sub { name: "proxy", verbs: PROXY_VERBS, kind: Some(("", "v1", "NodeProxyOptions")) },
                STATUS,
            ],
            storage: "minions",
            ..Info::of::<Node>("nodes", "node", Scope::Cluster)
        }
    }

    fn default(node: &mut Node) {
        if let Some(NodeSpec { pod_cidr, pod_cidrs, .. }) = &mut node.spec {
            defaults::both_forms(pod_cidr, pod_cidrs);
        }
        let Some(status) = &mut node.status else { return };
        quantities(&mut status.capacity);
        quantities(&mut status.allocatable);
        if status.allocatable.is_none() {
            status.allocatable.clone_from(&status.capacity);
        }
    }

    fn prepare(cx: &Cx, new: &mut Node, old: Option<&Node>) {
        // where settings came from before kubelets had files of their own: kept where it stands, and set nowhere
        let had = old.and_then(|old| old.spec.as_ref()).is_some_and(|spec| spec.config_source.is_some());
        if let Some(spec) = new.spec.as_mut().filter(|_| !had) {
            spec.config_source = None;
        }
        if let Some(old) = old.filter(|_| cx.subresource.is_empty()) {
            new.status.clone_from(&old.status);
        }
    }

    fn validate(_: &Cx, new: &Node, old: Option<&Node>, errors: &mut Errors) {
        let spec = new.spec.clone().unwrap_or_default();
        if let Some(status) = &new.status {
            amounts(errors, status);
        }
        // Upstream gives the taints of the spec this path.
        taint::taints(errors, &Path::new("metadata.taints"), list(&spec.taints));
        networks(errors, list(&spec.pod_cidrs));
        if let Some(old) = old {
            // a change is looked at once more as a whole
            if let Some(status) = &new.status {
                amounts(errors, status);
            }
            unchanged(errors, &spec, &old.spec.clone().unwrap_or_default());
        }
    }

    fn warnings(new: &Node, _: Option<&Node>) -> Vec<String> {
        let spec = new.spec.as_ref();
        let mut warnings = Vec::new();
        if spec.is_some_and(|spec| spec.config_source.is_some()) {
            warnings.push("spec.configSource: the feature is removed".to_owned());
        }
        if spec.and_then(|spec| spec.external_id.as_deref()).is_some_and(|id| !id.is_empty()) {
            warnings.push("spec.externalID: this field is deprecated, and is unused by Kubernetes".to_owned());
        }
        warnings
    }

    fn fields(node: &Node) -> Fields {
        let unschedulable = node.spec.as_ref().and_then(|s| s.unschedulable).unwrap_or(false);
        vec![("spec.unschedulable", unschedulable.to_string())]
    }

    fn columns() -> Columns<Node> {
        cells::columns()
    }
}

fn amounts(errors: &mut Errors, status: &NodeStatus) {
    for (name, amounts) in [("capacity", &status.capacity), ("allocatable", &status.allocatable)] {
        for (resource, amount) in amounts.iter().flatten() {
            resources::amount(errors, &Path::new("status").child(name).child(resource), resource, amount);
        }
    }
}

fn networks(errors: &mut Errors, networks: &[String]) {
    let path = Path::new("spec.podCIDRs");
    for (i, network) in networks.iter().enumerate() {
        each(errors, &path.index(i), network.as_str(), names::is_valid_cidr(network));
    }
    let v6 = |n: &&String| n.contains(':');
    let per_family = networks.iter().filter(v6).count().max(networks.iter().filter(|n| !v6(n)).count());
    if per_family > 1 {
        errors.invalid(&path, networks.to_vec(), "may specify no more than one CIDR for each IP family");
    }
}

fn unchanged(errors: &mut Errors, new: &NodeSpec, old: &NodeSpec) {
    if !list(&old.pod_cidrs).is_empty() && new.pod_cidrs != old.pod_cidrs {
        let why = "node updates may not change podCIDR except from \"\" to valid";
        errors.forbidden(&Path::new("spec.podCIDRs"), why);
    }
    if !text(&old.provider_id).is_empty() && new.provider_id != old.provider_id {
        let why = "node updates may not change providerID except from \"\" to valid";
        errors.forbidden(&Path::new("spec.providerID"), why);
    }
    taint::taints(errors, &Path::new("metadata.taints"), list(&new.taints));
    if text(&new.external_id) != text(&old.external_id) {
        errors.forbidden(&Path::new("spec.externalID"), "may not be updated");
    }
}

#[cfg(test)]
mod tests;
