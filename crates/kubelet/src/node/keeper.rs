//! Keeps the Node object as the node is: registers it, patches its status when something has changed or
//! five minutes have passed, and configures the pod network once the Node has its addresses.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::api::core::v1::{Node, NodeCondition, ObjectReference};
use nakhoda_client::{Api, Client, Error, EventType, Informer, Informers, Patch, Recorder, Selection};
use serde_json::json;
use tokio::sync::watch;

use super::machine::Machine;
use super::status::{self, Facts};
use crate::cni;
use crate::cri::{Cri, v1};
use crate::eviction::Pressure;
use crate::source::patch;

const PERIOD: Duration = Duration::from_secs(10);
/// While the node is not ready it is looked at more often.
const HURRY: Duration = Duration::from_millis(200);

/// What the keeper needs to know.
pub struct Settings {
    /// The node's name.
    pub name: String,
    /// Its addresses.
    pub ips: Vec<String>,
    /// The port of its server.
    pub port: u16,
    /// How many pods may run here.
    pub max_pods: u32,
    /// Labels beside the usual ones.
    pub labels: BTreeMap<String, String>,
    /// The kubelet's directory, whose disk counts.
    pub root: PathBuf,
    /// What the node is short of.
    pub pressure: Pressure,
    /// Where the CNI configuration goes; none if another keeps it.
    pub cni: Option<PathBuf>,
}

/// Keeps one Node.
pub struct Keeper {
    settings: Settings,
    machine: Machine,
    client: Client,
    cri: Cri,
    recorder: Recorder,
    told: watch::Sender<Option<Node>>,
    runtime: String,
}

// === impl Keeper ===

impl Keeper {
    /// The Node, once it is registered, goes to `told`.
    #[must_use]
    pub fn new(
        settings: Settings,
        client: Client,
        cri: Cri,
        recorder: Recorder,
        told: watch::Sender<Option<Node>>,
    ) -> Self {
        let machine = Machine::read(&settings.root);
        Self { settings, machine, client, cri, recorder, told, runtime: String::new() }
    }

    /// Keeps the Node for ever; `images` wakes it when images came or went.
    pub async fn run(mut self, informers: Informers, mut images: watch::Receiver<u64>) {
        let api = self.client.all::<Node>();
        let mut pause = HURRY;
        while let Err(error) = self.register(&api).await {
            tracing::warn!(%error, "node not registered; trying again");
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(Duration::from_secs(7));
        }
        self.recorder.event(&self.reference(), EventType::Normal, "Starting", "Starting kubelet.");
        let selection = Selection { fields: format!("metadata.name={}", self.settings.name), ..Selection::default() };
        let own: Informer<Node> = informers.select(None, selection);
        own.synced().await;
        let mut changes = own.subscribe();
        loop {
            let hurry = match self.round(&api, &own).await {
                Ok(ready) => !ready,
                Err(error) => {
                    tracing::warn!(%error, "node status not written; trying again");
                    false
                }
            };
            let sleep = tokio::time::sleep(if hurry { HURRY } else { PERIOD });
            tokio::select! {
                () = sleep => {}
                change = changes.recv() => if change.is_none() { return },
                changed = images.changed() => if changed.is_err() { return },
            }
            while changes.try_recv().is_ok() {}
        }
    }

    /// Makes the Node, or brings the labels of one that is there up to date.
    async fn register(&mut self, api: &Api<Node>) -> Result<(), Error> {
        let facts = self.facts().await;
        let wanted = status::node(&facts, &self.settings.labels, Timestamp::now());
        let node = match api.create(&wanted).await {
            Ok(node) => node,
            Err(error) if error.is_already_exists() => {
                let body =
                    json!({"metadata": {"labels": wanted.metadata.labels, "annotations": wanted.metadata.annotations}});
                api.patch(&self.settings.name, &Patch::strategic(&body)).await?
            }
            Err(error) => return Err(error),
        };
        tracing::info!(node = self.settings.name, "registered");
        self.told.send_replace(Some(node));
        Ok(())
    }

    /// Looks once; whether the node is ready.
    async fn round(&mut self, api: &Api<Node>, own: &Informer<Node>) -> Result<bool, Error> {
        let Some(node) = own.list().into_iter().next() else {
            tracing::warn!("the Node was deleted; registering it again");
            self.register(api).await?;
            return Ok(false);
        };
        self.network(&node);
        let facts = self.facts().await;
        let old = node.status.clone().unwrap_or_default();
        let new = status::status(&facts, &old, Timestamp::now());
        self.announce(old.conditions.as_deref(), new.conditions.as_deref());
        let (old, new) =
            (serde_json::to_value(&old).unwrap_or_default(), serde_json::to_value(&new).unwrap_or_default());
        if let Some(change) = patch::status(&old, &new) {
            let patch = Patch::strategic(&json!({"status": change}));
            let node = api.patch_sub::<Node>(&self.settings.name, "status", &patch).await?;
            self.told.send_replace(Some(node));
        }
        Ok(facts.faults.is_empty())
    }

    /// Configures the pod network once the Node has its addresses.
    fn network(&self, node: &Node) {
        let spec = node.spec.clone().unwrap_or_default();
        let cidrs = spec.pod_cidrs.filter(|c| !c.is_empty()).or_else(|| spec.pod_cidr.map(|cidr| vec![cidr]));
        if let (Some(dir), Some(cidrs)) = (&self.settings.cni, cidrs)
            && let Err(error) = cni::write(dir, &self.settings.root.join("ipam"), &cidrs)
        {
            tracing::warn!(error = %error, "pod network not configured");
        }
    }

    async fn facts(&mut self) -> Facts {
        let mut faults = Vec::new();
        if self.runtime.is_empty()
            && let Ok(version) = self.cri.version().await
        {
            self.runtime = format!("{}://{}", version.runtime_name, version.runtime_version);
        }
        match self.cri.status(false).await {
            Ok(answer) => {
                faults.extend(answer.status.unwrap_or_default().conditions.iter().filter(|c| !c.status).map(fault))
            }
            Err(error) => faults.push(format!("container runtime is down: {error}")),
        }
        Facts {
            name: self.settings.name.clone(),
            ips: self.settings.ips.clone(),
            port: i32::from(self.settings.port),
            max_pods: self.settings.max_pods,
            machine: self.machine.clone(),
            pressure: self.settings.pressure.clone(),
            runtime: self.runtime.clone(),
            faults,
            images: self.cri.images().await.unwrap_or_default(),
        }
    }

    /// Tells conditions that have turned.
    fn announce(&self, old: Option<&[NodeCondition]>, new: Option<&[NodeCondition]>) {
        for condition in new.unwrap_or_default() {
            let before = old.unwrap_or_default().iter().find(|c| c.type_ == condition.type_);
            if before.is_some_and(|b| b.status == condition.status) {
                continue;
            }
            let word = match (condition.type_.as_str(), condition.status == "True") {
                ("Ready", true) => "NodeReady".to_owned(),
                ("Ready", false) => "NodeNotReady".to_owned(),
                _ => condition.reason.clone().unwrap_or_default().replacen("Kubelet", "Node", 1),
            };
            let text = format!("Node {} status is now: {word}", self.settings.name);
            self.recorder.event(&self.reference(), EventType::Normal, &word, text);
        }
    }

    /// As upstream names nodes in events: the uid is the name.
    fn reference(&self) -> ObjectReference {
        ObjectReference {
            kind: Some("Node".into()),
            name: Some(self.settings.name.clone()),
            uid: Some(self.settings.name.clone()),
            ..ObjectReference::default()
        }
    }
}

fn fault(condition: &v1::RuntimeCondition) -> String {
    let what = if condition.r#type == "NetworkReady" { "network not ready" } else { "is not ready" };
    let v1::RuntimeCondition { r#type, reason, message, .. } = condition;
    format!("container runtime {what}: {}={} reason:{reason} message:{message}", r#type, condition.status)
}
