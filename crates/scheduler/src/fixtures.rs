//! Pods and nodes for tests, and one plugin asked about them.

use std::collections::BTreeMap;
use std::sync::Arc;

use nakhoda_api::kinds::core::{
    self, Container, ContainerImage, ContainerPort, PersistentVolume, PersistentVolumeClaim, Pod, PodResourceClaim,
    PodSpec, Taint, Toleration,
};
use nakhoda_api::kinds::meta::{LabelSelector, ObjectMeta, OwnerReference};
use nakhoda_api::kinds::policy::{PodDisruptionBudget, PodDisruptionBudgetSpec, PodDisruptionBudgetStatus};
use nakhoda_api::kinds::pressure::{NodePressure, PodPressure, Stall, Stalls};
use nakhoda_api::kinds::scheduling_v1beta1::PodGroup;
use nakhoda_api::kinds::storage::StorageClass;
use nakhoda_api::kinds::{Quantity, core as k};
use nakhoda_client::Resource;
use serde_json::json;

use crate::cluster::Cluster;
use crate::framework::{Check, Cycle, Framework, Plugin, Verdict};
use crate::pod::PodInfo;

/// A pod under construction.
#[derive(Clone)]
pub(crate) struct PodBuilder(Pod);

/// A node under construction.
#[derive(Clone)]
pub(crate) struct NodeBuilder {
    node: core::Node,
    pods: Vec<PodBuilder>,
}

pub(crate) fn pod(name: &str) -> PodBuilder {
    let mut pod = Pod::default();
    pod.metadata.namespace = Some("default".into());
    pod.metadata.name = Some(name.into());
    pod.metadata.uid = Some(name.into());
    let containers = vec![Container { name: "c".into(), ..Container::default() }];
    pod.spec = Some(PodSpec { containers, scheduler_name: Some("default-scheduler".into()), ..PodSpec::default() });
    PodBuilder(pod)
}

/// 4 cores, 8 GiB, 110 pods.
pub(crate) fn node(name: &str) -> NodeBuilder {
    let mut node = core::Node::default();
    node.metadata.name = Some(name.into());
    let amounts = [("cpu", "4"), ("memory", "8Gi"), ("pods", "110")];
    let allocatable = amounts.into_iter().map(|(name, amount)| (name.to_owned(), Quantity(amount.into()))).collect();
    node.status = Some(core::NodeStatus { allocatable: Some(allocatable), ..core::NodeStatus::default() });
    NodeBuilder { node, pods: Vec::new() }
}

pub(crate) fn container(name: &str, cpu: &str) -> Container {
    let requests = Some(BTreeMap::from([("cpu".to_owned(), Quantity(cpu.into()))]));
    let resources = Some(k::ResourceRequirements { requests, ..k::ResourceRequirements::default() });
    Container { name: name.into(), resources, ..Container::default() }
}

pub(crate) fn info(pod: PodBuilder) -> Arc<PodInfo> {
    Arc::new(PodInfo::new(Arc::new(pod.build())))
}

pub(crate) fn cluster(nodes: impl IntoIterator<Item = NodeBuilder>) -> Cluster {
    let mut cluster = Cluster::default();
    for builder in nodes {
        let name = builder.node.name().to_owned();
        cluster.set_node(&builder.node);
        for pod in builder.pods {
            cluster.place(info(pod.on(&name)));
        }
    }
    cluster
}

/// A disruption budget for pods with the label `app`.
pub(crate) fn budget(app: &str, allowed: i32) -> PodDisruptionBudget {
    let spec = PodDisruptionBudgetSpec { selector: Some(labelled("app", app)), ..PodDisruptionBudgetSpec::default() };
    let status =
        PodDisruptionBudgetStatus { disruptions_allowed: Some(allowed), ..PodDisruptionBudgetStatus::default() };
    let metadata = ObjectMeta { namespace: Some("default".into()), name: Some("b".into()), ..ObjectMeta::default() };
    PodDisruptionBudget { metadata, spec: Some(spec), status: Some(status) }
}

/// A group of which so many pods are placed at once.
pub(crate) fn gang(name: &str, least: i32) -> PodGroup {
    let spec = json!({"schedulingPolicy": {"gang": {"minCount": least}}});
    serde_json::from_value(json!({"metadata": {"name": name, "namespace": "default", "uid": name}, "spec": spec}))
        .expect("a group")
}

/// A class whose claims wait for their consumer, and whose volumes people make.
pub(crate) fn waiting_class(name: &str) -> StorageClass {
    StorageClass {
        metadata: ObjectMeta { name: Some(name.into()), ..ObjectMeta::default() },
        provisioner: "kubernetes.io/no-provisioner".into(),
        volume_binding_mode: Some("WaitForFirstConsumer".into()),
        ..StorageClass::default()
    }
}

/// 1 GiB that is nobody's; at the nodes with this label `host`, or everywhere.
pub(crate) fn volume(name: &str, class: &str, host: Option<&str>) -> PersistentVolume {
    let term = host.map(|host| json!({"matchExpressions": [{"key": "host", "operator": "In", "values": [host]}]}));
    let affinity = term.map(|term| json!({"required": {"nodeSelectorTerms": [term]}}));
    serde_json::from_value(json!({
        "metadata": {"name": name},
        "spec": {"capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteOnce"], "storageClassName": class, "nodeAffinity": affinity},
        "status": {"phase": "Available"},
    }))
    .expect("a volume")
}

/// A claim for 1 GiB.
pub(crate) fn claim(name: &str, class: &str) -> PersistentVolumeClaim {
    serde_json::from_value(json!({
        "metadata": {"name": name, "namespace": "default", "uid": name},
        "spec": {"resources": {"requests": {"storage": "1Gi"}}, "accessModes": ["ReadWriteOnce"], "storageClassName": class},
    }))
    .expect("a claim")
}

/// A claim that has a volume.
pub(crate) fn bound_claim(name: &str, volume: &str) -> PersistentVolumeClaim {
    let mut claim = claim(name, "c");
    claim.spec.as_mut().expect("made with a spec").volume_name = Some(volume.into());
    let annotation = ("pv.kubernetes.io/bind-completed".to_owned(), "yes".to_owned());
    claim.metadata.annotations = Some(BTreeMap::from([annotation]));
    claim
}

/// What the framework of one plugin says of each node of a cluster.
pub(crate) fn verdicts_in(plugin: Plugin, pod: PodBuilder, cluster: &mut Cluster) -> Vec<Verdict> {
    let pod = info(pod);
    let framework = Framework::of(vec![plugin]);
    framework.tally(cluster, &pod);
    let filter = framework.plugins()[0].filter.as_ref().expect("a filter");
    match filter.prepare(Cycle { pod: &pod, cluster }) {
        Check::Skip => cluster.nodes().map(|_| Verdict::Pass).collect(),
        Check::Hopeless(reason) => cluster.nodes().map(|_| Verdict::hopeless(reason.clone())).collect(),
        Check::Each(check) => cluster.nodes().map(check).collect(),
    }
}

/// What a plugin's filter says of each node.
pub(crate) fn verdicts(plugin: Plugin, pod: PodBuilder, nodes: impl IntoIterator<Item = NodeBuilder>) -> Vec<Verdict> {
    verdicts_in(plugin, pod, &mut cluster(nodes))
}

/// What a plugin's filter says of one node.
pub(crate) fn verdict(plugin: Plugin, pod: PodBuilder, node: NodeBuilder) -> Verdict {
    verdicts(plugin, pod, [node]).remove(0)
}

/// What a plugin's score gives each node.
pub(crate) fn rates(plugin: Plugin, pod: PodBuilder, nodes: impl IntoIterator<Item = NodeBuilder>) -> Vec<i64> {
    let (mut cluster, pod) = (cluster(nodes), info(pod));
    let framework = Framework::of(vec![plugin]);
    framework.tally(&mut cluster, &pod);
    let score = framework.plugins()[0].score.as_ref().expect("a score");
    let feasible: Vec<usize> = cluster.nodes().map(|node| node.slot).collect();
    let rate = score.prepare(Cycle { pod: &pod, cluster: &cluster }, &feasible).expect("has to do with it");
    let mut scores = cluster.nodes().map(rate).collect::<Vec<_>>();
    score.normalise(&mut scores);
    scores
}

/// How often tasks wait for a processor on a node, and those of some of its pods by UID.
pub(crate) fn pressure(node: &str, some: u8, pods: &[(&str, u8)]) -> NodePressure {
    let cpu = |some: u8| Stalls { cpu: Stall { some, full: 0 }, ..Stalls::default() };
    let pod =
        |(uid, some): &(&str, u8)| PodPressure { uid: (*uid).into(), stalls: cpu(*some), ..PodPressure::default() };
    NodePressure {
        metadata: ObjectMeta { name: Some(node.into()), ..ObjectMeta::default() },
        node: cpu(some),
        pods: pods.iter().map(pod).collect(),
        ..NodePressure::default()
    }
}

// === impl PodBuilder ===

impl PodBuilder {
    pub(crate) fn build(self) -> Pod {
        self.0
    }

    pub(crate) fn claims_device(mut self, claim: &str) -> Self {
        let reference = PodResourceClaim {
            name: claim.into(),
            resource_claim_name: Some(claim.into()),
            ..PodResourceClaim::default()
        };
        self.0.spec.get_or_insert_default().resource_claims.get_or_insert_default().push(reference);
        self
    }

    pub(crate) fn annotate(mut self, key: &str, value: &str) -> Self {
        self.0.metadata.annotations.get_or_insert_default().insert(key.into(), value.into());
        self
    }

    pub(crate) fn cpu(self, amount: &str) -> Self {
        self.ask("cpu", amount)
    }

    pub(crate) fn memory(self, amount: &str) -> Self {
        self.ask("memory", amount)
    }

    pub(crate) fn ask(mut self, resource: &str, amount: &str) -> Self {
        let requests = self.container().resources.get_or_insert_default().requests.get_or_insert_default();
        requests.insert(resource.into(), Quantity(amount.into()));
        self
    }

    pub(crate) fn on(mut self, node: &str) -> Self {
        self.spec().node_name = Some(node.into());
        self
    }

    pub(crate) fn label(mut self, key: &str, value: &str) -> Self {
        self.0.metadata.labels.get_or_insert_default().insert(key.into(), value.into());
        self
    }

    pub(crate) fn priority(mut self, priority: i32) -> Self {
        self.spec().priority = Some(priority);
        self
    }

    pub(crate) fn image(mut self, image: &str) -> Self {
        self.container().image = Some(image.into());
        self
    }

    pub(crate) fn host_port(mut self, port: i32) -> Self {
        let port = ContainerPort { container_port: port, host_port: Some(port), ..ContainerPort::default() };
        self.container().ports.get_or_insert_default().push(port);
        self
    }

    pub(crate) fn gate(mut self, name: &str) -> Self {
        self.spec().scheduling_gates.get_or_insert_default().push(k::PodSchedulingGate { name: name.into() });
        self
    }

    pub(crate) fn tolerate(mut self, key: &str, operator: &str) -> Self {
        let toleration = Toleration { key: Some(key.into()), operator: Some(operator.into()), ..Toleration::default() };
        self.spec().tolerations.get_or_insert_default().push(toleration);
        self
    }

    pub(crate) fn select(mut self, key: &str, value: &str) -> Self {
        self.spec().node_selector.get_or_insert_default().insert(key.into(), value.into());
        self
    }

    /// Adds a term of required node affinity.
    pub(crate) fn require(mut self, key: &str, operator: &str, values: &[&str]) -> Self {
        let term = term(key, operator, values);
        let affinity = self.spec().affinity.get_or_insert_default().node_affinity.get_or_insert_default();
        affinity
            .required_during_scheduling_ignored_during_execution
            .get_or_insert_default()
            .node_selector_terms
            .push(term);
        self
    }

    pub(crate) fn prefer(mut self, key: &str, weight: i32) -> Self {
        let term = k::PreferredSchedulingTerm { weight, preference: term(key, "Exists", &[]) };
        let affinity = self.spec().affinity.get_or_insert_default().node_affinity.get_or_insert_default();
        affinity.preferred_during_scheduling_ignored_during_execution.get_or_insert_default().push(term);
        self
    }

    pub(crate) fn spread(mut self, key: &str, skew: i32, otherwise: &str, label: &str, value: &str) -> Self {
        let constraint = k::TopologySpreadConstraint {
            topology_key: key.into(),
            max_skew: skew,
            when_unsatisfiable: otherwise.into(),
            label_selector: Some(labelled(label, value)),
            ..k::TopologySpreadConstraint::default()
        };
        self.spec().topology_spread_constraints.get_or_insert_default().push(constraint);
        self
    }

    /// Changes the last constraint of [`PodBuilder::spread`].
    pub(crate) fn constrain(mut self, change: impl FnOnce(&mut k::TopologySpreadConstraint)) -> Self {
        let constraints = self.spec().topology_spread_constraints.get_or_insert_default();
        change(constraints.last_mut().expect("spread goes before"));
        self
    }

    pub(crate) fn named(mut self, name: &str) -> Self {
        self.0.metadata.name = Some(name.into());
        self.0.metadata.uid = Some(name.into());
        self
    }

    /// Must be near pods with this label.
    pub(crate) fn near(mut self, key: &str, label: &str, value: &str) -> Self {
        let affinity = self.spec().affinity.get_or_insert_default().pod_affinity.get_or_insert_default();
        let required = affinity.required_during_scheduling_ignored_during_execution.get_or_insert_default();
        required.push(neighbours(key, label, value));
        self
    }

    /// Must not be near pods with this label.
    pub(crate) fn away(mut self, key: &str, label: &str, value: &str) -> Self {
        let affinity = self.spec().affinity.get_or_insert_default().pod_anti_affinity.get_or_insert_default();
        let required = affinity.required_during_scheduling_ignored_during_execution.get_or_insert_default();
        required.push(neighbours(key, label, value));
        self
    }

    /// Would like to be near pods with this label.
    pub(crate) fn wish(mut self, key: &str, label: &str, value: &str, weight: i32) -> Self {
        let affinity = self.spec().affinity.get_or_insert_default().pod_affinity.get_or_insert_default();
        let preferred = affinity.preferred_during_scheduling_ignored_during_execution.get_or_insert_default();
        let pod_affinity_term = neighbours(key, label, value);
        preferred.push(k::WeightedPodAffinityTerm { weight, pod_affinity_term });
        self
    }

    /// Belongs to a group.
    pub(crate) fn member_of(mut self, group: &str) -> Self {
        self.spec().scheduling_group = Some(k::PodSchedulingGroup { pod_group_name: Some(group.into()) });
        self
    }

    /// Uses a claim.
    pub(crate) fn claim(mut self, name: &str) -> Self {
        let source = k::PersistentVolumeClaimVolumeSource { claim_name: name.into(), read_only: None };
        let volume = k::Volume { name: name.into(), persistent_volume_claim: Some(source), ..k::Volume::default() };
        self.spec().volumes.get_or_insert_default().push(volume);
        self
    }

    pub(crate) fn owned_by(mut self, uid: &str) -> Self {
        let owner = OwnerReference { uid: uid.into(), controller: Some(true), ..OwnerReference::default() };
        self.0.metadata.owner_references.get_or_insert_default().push(owner);
        self
    }

    pub(crate) fn made_by(mut self, kind: &str, name: &str) -> Self {
        let owner = OwnerReference {
            kind: kind.into(),
            name: name.into(),
            uid: name.into(),
            controller: Some(true),
            ..OwnerReference::default()
        };
        self.0.metadata.owner_references.get_or_insert_default().push(owner);
        self
    }

    fn spec(&mut self) -> &mut PodSpec {
        self.0.spec.as_mut().expect("made with a spec")
    }

    fn container(&mut self) -> &mut Container {
        &mut self.spec().containers[0]
    }
}

// === impl NodeBuilder ===

impl NodeBuilder {
    pub(crate) fn build(self) -> core::Node {
        self.node
    }

    pub(crate) fn cpu(self, amount: &str) -> Self {
        self.has("cpu", amount)
    }

    pub(crate) fn memory(self, amount: &str) -> Self {
        self.has("memory", amount)
    }

    pub(crate) fn pods(self, amount: &str) -> Self {
        self.has("pods", amount)
    }

    pub(crate) fn label(mut self, key: &str, value: &str) -> Self {
        self.node.metadata.labels.get_or_insert_default().insert(key.into(), value.into());
        self
    }

    pub(crate) fn taint(mut self, key: &str, value: &str, effect: &str) -> Self {
        let taint = Taint { key: key.into(), value: Some(value.into()), effect: effect.into(), ..Taint::default() };
        self.node.spec.get_or_insert_default().taints.get_or_insert_default().push(taint);
        self
    }

    pub(crate) fn cordoned(mut self) -> Self {
        self.node.spec.get_or_insert_default().unschedulable = Some(true);
        self
    }

    pub(crate) fn image(mut self, name: &str, size: i64) -> Self {
        let image = ContainerImage { names: Some(vec![name.into()]), size_bytes: Some(size) };
        self.node.status.get_or_insert_default().images.get_or_insert_default().push(image);
        self
    }

    /// A pod that is there.
    pub(crate) fn with(mut self, pod: PodBuilder) -> Self {
        self.pods.push(pod);
        self
    }

    fn has(mut self, resource: &str, amount: &str) -> Self {
        let allocatable = self.node.status.get_or_insert_default().allocatable.get_or_insert_default();
        allocatable.insert(resource.into(), Quantity(amount.into()));
        self
    }
}

fn term(key: &str, operator: &str, values: &[&str]) -> k::NodeSelectorTerm {
    let values = Some(values.iter().map(|v| (*v).to_owned()).collect());
    let requirement = k::NodeSelectorRequirement { key: key.into(), operator: operator.into(), values };
    k::NodeSelectorTerm { match_expressions: Some(vec![requirement]), ..k::NodeSelectorTerm::default() }
}

fn neighbours(key: &str, label: &str, value: &str) -> k::PodAffinityTerm {
    let label_selector = Some(labelled(label, value));
    k::PodAffinityTerm { topology_key: key.into(), label_selector, ..k::PodAffinityTerm::default() }
}

fn labelled(label: &str, value: &str) -> LabelSelector {
    let match_labels = Some(BTreeMap::from([(label.to_owned(), value.to_owned())]));
    LabelSelector { match_labels, ..LabelSelector::default() }
}
