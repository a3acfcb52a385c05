//! What the node and its pods use, in the form of upstream's `/stats/summary`. Absent: volumes, and what
//! the runtime does not tell.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::Server;
use crate::cri::{self, v1};
use crate::labels;
use crate::node::machine::Left;

// === impl Server ===

impl Server {
    /// The summary as JSON.
    pub async fn summary(&self) -> Result<Value, cri::Error> {
        let containers = self.host.cri.container_stats().await?;
        let mut sandboxes = Vec::new();
        for view in self.manager.views() {
            let Some(sandbox) = view.observed.sandbox() else { continue };
            // One at a time: the runtime fails a whole list for one sandbox that ended meanwhile.
            match self.host.cri.sandbox_stats(&sandbox.id).await {
                Ok(stats) => sandboxes.extend(stats),
                Err(error) => tracing::debug!(%error, sandbox = sandbox.id, "no figures"),
            }
        }
        let mut by_pod: BTreeMap<String, Vec<Value>> = BTreeMap::new();
        for stats in containers {
            let attributes = stats.attributes.clone().unwrap_or_default();
            let uid = attributes.labels.get(labels::POD_UID).cloned().unwrap_or_default();
            by_pod.entry(uid).or_default().push(container(&stats, &attributes));
        }
        let pods: Vec<Value> = sandboxes.iter().map(|stats| pod(stats, &mut by_pod)).collect();
        let memory = self.host.capacity.memory;
        let left = Left::read(&self.host.paths.pods()).memory;
        let now = Timestamp::now().to_string();
        let node = json!({
            "nodeName": self.host.name,
            "startTime": self.host.started.to_string(),
            "cpu": {"time": now, "usageNanoCores": sum(&sandboxes, |s| s.cpu.as_ref().and_then(|c| c.usage_nano_cores)), "usageCoreNanoSeconds": sum(&sandboxes, |s| s.cpu.as_ref().and_then(|c| c.usage_core_nano_seconds))},
            "memory": {"time": now, "availableBytes": left, "usageBytes": memory - left, "workingSetBytes": memory - left},
        });
        Ok(json!({"node": node, "pods": pods}))
    }
}

fn sum(sandboxes: &[v1::PodSandboxStats], of: fn(&v1::LinuxPodSandboxStats) -> Option<v1::UInt64Value>) -> u64 {
    sandboxes.iter().filter_map(|s| s.linux.as_ref()).filter_map(of).map(|v| v.value).sum()
}

fn pod(stats: &v1::PodSandboxStats, containers: &mut BTreeMap<String, Vec<Value>>) -> Value {
    let metadata = stats.attributes.clone().unwrap_or_default().metadata.unwrap_or_default();
    let linux = stats.linux.clone().unwrap_or_default();
    let network = linux.network.clone().unwrap_or_default();
    let interface = network.default_interface.clone().unwrap_or_default();
    json!({
        "podRef": {"name": metadata.name, "namespace": metadata.namespace, "uid": metadata.uid},
        "containers": containers.remove(&metadata.uid).unwrap_or_default(),
        "cpu": cpu(linux.cpu.as_ref()),
        "memory": memory(linux.memory.as_ref()),
        "network": {
            "time": time(network.timestamp), "name": interface.name,
            "rxBytes": value(interface.rx_bytes), "rxErrors": value(interface.rx_errors),
            "txBytes": value(interface.tx_bytes), "txErrors": value(interface.tx_errors),
        },
    })
}

fn container(stats: &v1::ContainerStats, attributes: &v1::ContainerAttributes) -> Value {
    let layer = stats.writable_layer.clone().unwrap_or_default();
    json!({
        "name": attributes.metadata.clone().unwrap_or_default().name,
        "cpu": cpu(stats.cpu.as_ref()),
        "memory": memory(stats.memory.as_ref()),
        "rootfs": {"time": time(layer.timestamp), "usedBytes": value(layer.used_bytes), "inodesUsed": value(layer.inodes_used)},
    })
}

fn cpu(usage: Option<&v1::CpuUsage>) -> Value {
    let usage = usage.cloned().unwrap_or_default();
    json!({"time": time(usage.timestamp), "usageNanoCores": value(usage.usage_nano_cores), "usageCoreNanoSeconds": value(usage.usage_core_nano_seconds)})
}

fn memory(usage: Option<&v1::MemoryUsage>) -> Value {
    let usage = usage.cloned().unwrap_or_default();
    json!({
        "time": time(usage.timestamp), "workingSetBytes": value(usage.working_set_bytes), "usageBytes": value(usage.usage_bytes),
        "availableBytes": value(usage.available_bytes), "rssBytes": value(usage.rss_bytes),
        "pageFaults": value(usage.page_faults), "majorPageFaults": value(usage.major_page_faults),
    })
}

fn value(value: Option<v1::UInt64Value>) -> u64 {
    value.map_or(0, |v| v.value)
}

fn time(nanoseconds: i64) -> String {
    Timestamp::from_nanosecond(i128::from(nanoseconds)).unwrap_or(Timestamp::UNIX_EPOCH).to_string()
}
