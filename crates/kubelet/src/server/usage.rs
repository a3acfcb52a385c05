//! What the node and its pods use, as the API server asks for its metrics API.

use nakhoda_rpc::v1;

use super::Server;
use crate::pod::core::View;
use crate::pod::observed::Seen;
use crate::pod::spec;
use crate::usage::{NODE, Rate};

// === impl Server ===

impl Server {
    /// The node, and its pods if they are wanted.
    pub(super) fn usage(&self, pods: bool) -> v1::NodeUsage {
        let views = if pods { self.manager.views() } else { Vec::new() };
        v1::NodeUsage {
            node: self.host.meter.rate(NODE).map(told),
            pods: views.iter().filter_map(|view| self.pod_usage(view)).collect(),
        }
    }

    /// A pod, if something of it runs and all that does has a rate.
    fn pod_usage(&self, view: &View) -> Option<v1::PodUsage> {
        let containers = running(view).map(|seen| {
            let usage = self.host.meter.rate(&seen.status.id).map(told)?;
            Some(v1::ContainerUsage { name: name(seen).into(), usage: Some(usage) })
        });
        let containers: Vec<_> = containers.collect::<Option<_>>()?;
        (!containers.is_empty()).then(|| v1::PodUsage {
            namespace: spec::namespace(&view.pod).into(),
            name: spec::name(&view.pod).into(),
            uid: spec::uid(&view.pod).into(),
            containers,
        })
    }
}

fn told(rate: Rate) -> v1::Usage {
    let nanos = |nanos: i128| i64::try_from(nanos).unwrap_or(i64::MAX);
    v1::Usage {
        time: nanos(rate.last.at.as_nanosecond()),
        window: nanos(rate.window.as_nanos()),
        nano_cores: rate.nano_cores,
        memory: rate.last.usage.working_set,
    }
}

/// The containers that run, in the order of their names.
pub(super) fn running(view: &View) -> impl Iterator<Item = &Seen> {
    let mut running: Vec<&Seen> = view.observed.each().filter(|seen| seen.is_running()).collect();
    running.sort_by_key(|seen| name(seen));
    running.into_iter()
}

pub(super) fn name(seen: &Seen) -> &str {
    seen.status.metadata.as_ref().map_or("", |metadata| &metadata.name)
}
