//! What the node and its pods use, in the form of upstream's `/stats/summary`. Absent: volumes, logs, swap, and what
//! the runtime does not tell of networks and file systems.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::Server;
use super::usage::{name, running};
use crate::cri::{self, v1};
use crate::node::machine::Left;
use crate::pod::core::View;
use crate::pod::spec;
use crate::usage::NODE;

/// What the runtime tells, by container.
type Layers = BTreeMap<String, v1::FilesystemUsage>;

// === impl Server ===

impl Server {
    /// The summary as JSON; `brief` leaves out what has to be asked of the runtime.
    pub async fn summary(&self, brief: bool) -> Result<Value, cri::Error> {
        let mut layers = Layers::new();
        if !brief {
            let stats = self.host.cri.container_stats().await?;
            let named = stats.into_iter().filter_map(|stats| Some((stats.attributes?.id, stats.writable_layer?)));
            layers = named.collect();
        }
        let mut pods = Vec::new();
        for view in self.manager.views().iter().filter(|view| view.observed.is_running()) {
            let mut told = self.pod(view, &layers);
            if !brief && let Some(network) = self.network(view).await {
                told["network"] = network;
            }
            pods.push(told);
        }
        let mut node = self.figures(NODE);
        node["nodeName"] = self.host.name.as_str().into();
        node["startTime"] = self.host.started.to_string().into();
        node["memory"]["availableBytes"] = Left::read(&self.host.paths.pods()).memory.into();
        if !brief {
            node["fs"] = self.disk();
        }
        Ok(json!({"node": node, "pods": pods}))
    }

    fn pod(&self, view: &View, layers: &Layers) -> Value {
        let mut told = self.figures(spec::uid(&view.pod));
        let (name, namespace, uid) = (spec::name(&view.pod), spec::namespace(&view.pod), spec::uid(&view.pod));
        told["podRef"] = json!({"name": name, "namespace": namespace, "uid": uid});
        let started = view.pod.status.as_ref().and_then(|status| status.start_time.as_ref());
        told["startTime"] = started.map(|time| time.0.to_string()).into();
        told["containers"] = running(view).map(|seen| self.container(seen, layers)).collect();
        told
    }

    fn container(&self, seen: &crate::pod::observed::Seen, layers: &Layers) -> Value {
        let mut told = self.figures(&seen.status.id);
        told["name"] = name(seen).into();
        told["startTime"] = time(seen.status.started_at).into();
        if let Some(layer) = layers.get(&seen.status.id) {
            let (bytes, inodes) = (value(layer.used_bytes.as_ref()), value(layer.inodes_used.as_ref()));
            told["rootfs"] = json!({"time": time(layer.timestamp), "usedBytes": bytes, "inodesUsed": inodes});
        }
        told
    }

    /// What the meter knows of a container, a pod or the node.
    fn figures(&self, id: &str) -> Value {
        let Some(last) = self.host.meter.last(id) else { return json!({}) };
        let (time, usage) = (last.at.to_string(), last.usage);
        let rate = self.host.meter.rate(id).map_or(0, |rate| rate.nano_cores);
        json!({
            "cpu": {"time": time, "usageNanoCores": rate, "usageCoreNanoSeconds": usage.cpu},
            "memory": {"time": time, "usageBytes": usage.memory, "workingSetBytes": usage.working_set, "rssBytes": usage.rss},
        })
    }

    /// Asked pod by pod: the runtime fails a whole list for one sandbox that ended meanwhile.
    async fn network(&self, view: &View) -> Option<Value> {
        let sandbox = view.observed.sandbox()?;
        let stats = self.host.cri.sandbox_stats(&sandbox.id).await;
        let stats = stats.inspect_err(|error| tracing::debug!(%error, sandbox = sandbox.id, "no figures")).ok()?;
        let network = stats.into_iter().next()?.linux?.network?;
        let interface = network.default_interface.unwrap_or_default();
        let value = |figure: Option<v1::UInt64Value>| value(figure.as_ref());
        Some(json!({
            "time": time(network.timestamp), "name": interface.name,
            "rxBytes": value(interface.rx_bytes), "rxErrors": value(interface.rx_errors),
            "txBytes": value(interface.tx_bytes), "txErrors": value(interface.tx_errors),
        }))
    }

    /// The file system of the kubelet's directory.
    fn disk(&self) -> Value {
        let Ok(fs) = rustix::fs::statvfs(self.host.paths.pods()) else { return Value::Null };
        let bytes = |blocks: u64| blocks.saturating_mul(fs.f_frsize);
        json!({
            "time": Timestamp::now().to_string(),
            "availableBytes": bytes(fs.f_bavail), "capacityBytes": bytes(fs.f_blocks),
            "usedBytes": bytes(fs.f_blocks.saturating_sub(fs.f_bfree)),
            "inodesFree": fs.f_ffree, "inodes": fs.f_files, "inodesUsed": fs.f_files.saturating_sub(fs.f_ffree),
        })
    }
}

fn value(value: Option<&v1::UInt64Value>) -> u64 {
    value.map_or(0, |v| v.value)
}

fn time(nanoseconds: i64) -> String {
    Timestamp::from_nanosecond(i128::from(nanoseconds)).unwrap_or(Timestamp::UNIX_EPOCH).to_string()
}
