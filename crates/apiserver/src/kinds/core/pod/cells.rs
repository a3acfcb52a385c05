//! What `kubectl get pods` prints.

use nakhoda_api::kinds::core::{Pod, PodSpec, PodStatus};

use super::reason::Summary;
use crate::kind::Columns;
use crate::kind::columns::since;
use crate::rules::check::{list, text};
use crate::rules::print::{NONE, or_none};

pub(super) fn columns() -> Columns<Pod> {
    Columns::<Pod>::named()
        .text("Ready", |p, _| {
            let summary = Summary::of(p);
            format!("{}/{}", summary.ready, summary.total).into()
        })
        .text("Status", |p, _| Summary::of(p).reason.into())
        .text("Restarts", |p, now| restarts(p, now).into())
        .age()
        .wide("IP", |p, _| or_none(status(p, |s| list(&s.pod_ips).first().map_or("", |ip| &ip.ip))).into())
        .wide("Node", |p, _| or_none(spec(p, |s| text(&s.node_name))).into())
        .wide("Nominated Node", |p, _| or_none(status(p, |s| text(&s.nominated_node_name))).into())
        .wide("Readiness Gates", |p, _| gates(p).into())
}

fn spec(pod: &Pod, part: fn(&PodSpec) -> &str) -> &str {
    pod.spec.as_ref().map_or("", part)
}

fn status(pod: &Pod, part: fn(&PodStatus) -> &str) -> &str {
    pod.status.as_ref().map_or("", part)
}

fn restarts(pod: &Pod, now: jiff::Timestamp) -> String {
    let summary = Summary::of(pod);
    match summary.last_restart {
        Some(last) if summary.restarts != 0 => format!("{} ({} ago)", summary.restarts, since(Some(last), now)),
        _ => summary.restarts.to_string(),
    }
}

fn gates(pod: &Pod) -> String {
    let gates = pod.spec.as_ref().map_or(&[][..], |s| list(&s.readiness_gates));
    let conditions = pod.status.as_ref().map_or(&[][..], |s| list(&s.conditions));
    let holds = |kind: &str| conditions.iter().find(|c| c.type_ == kind).is_some_and(|c| c.status == "True");
    match gates.len() {
        0 => NONE.into(),
        all => format!("{}/{all}", gates.iter().filter(|g| holds(&g.condition_type)).count()),
    }
}
