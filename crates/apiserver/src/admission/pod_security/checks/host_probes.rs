//! The kubelet is not sent to other hosts by probes or hooks.

use std::collections::BTreeSet;

use nakhoda_api::kinds::core::{HTTPGetAction, TCPSocketAction};

use super::super::subject::Part;
use super::{Check, Fault, Level, Subject, text};

pub(super) const CHECK: Check =
    Check { id: "hostProbesAndHostLifecycle", level: Level::Baseline, versions: &[(34, look)], instead_of: None };

fn look(pod: &Subject<'_>) -> Option<Fault> {
    let all: BTreeSet<String> = pod.containers.iter().flat_map(hosts).collect();
    let names: BTreeSet<&str> = pod.named(|one| !hosts(one).is_empty()).into_iter().collect();
    let names: Vec<&str> = names.into_iter().collect();
    let uses = text::plural(names.len(), "uses", "use");
    let what = text::plural(all.len(), "probe or lifecycle host", "probe or lifecycle hosts");
    let told = || format!("{} {uses} {what} {}", text::containers(&names), text::quoted(&all));
    if names.is_empty() { None } else { Fault::new("probe or lifecycle host", told()) }
}

fn hosts(one: &Part<'_>) -> Vec<String> {
    let probes = one.probes.into_iter().flatten().flat_map(|probe| named(probe.http_get.as_ref(), probe.tcp_socket.as_ref()));
    let hooks = one.lifecycle.into_iter().flat_map(|all| [all.post_start.as_ref(), all.pre_stop.as_ref()]).flatten();
    probes.chain(hooks.flat_map(|hook| named(hook.http_get.as_ref(), hook.tcp_socket.as_ref()))).collect()
}

fn named(http: Option<&HTTPGetAction>, tcp: Option<&TCPSocketAction>) -> Vec<String> {
    let hosts = [http.and_then(|http| http.host.clone()), tcp.and_then(|tcp| tcp.host.clone())];
    hosts.into_iter().flatten().filter(|host| !host.is_empty()).collect()
}
