//! `cluster status`: the parts of the control plane and the nodes, and how each is.

use std::process::ExitCode;

use jiff::Timestamp;
use nakhoda_api::kinds::coordination::Lease;
use nakhoda_api::kinds::core::{Endpoints, Node};
use nakhoda_client::{Client, Resource, Selection};
use serde_json::Value;

use crate::cmd::etcd;
use crate::output::progress::size;
use crate::output::table::Rows;
use crate::{Context, Error, output};

mod certificates;

/// Of whom one leads.
const ELECTED: &[&str] = &["kube-scheduler", "kube-controller-manager"];

/// Show etcd's members, the API servers, who leads, how long certificates last, and the nodes; exit code 1 if something is wrong
#[derive(Debug, clap::Args)]
pub struct Args {}

/// One part of the answer, and whether all in it is well.
struct Part {
    rows: Rows,
    well: bool,
}

/// Runs the command.
pub async fn run(_: Args, context: &Context) -> Result<ExitCode, Error> {
    let client = context.client()?;
    let members = etcd::ask(&client, "members").await?;
    let servers = client.namespaced::<Endpoints>("default").get("kubernetes").await?;
    let leaders = leaders(&client, Timestamp::now()).await?;
    let nodes = client.all::<Node>().list(&Selection::default()).await?.items;
    let certificates = certificates::part(context, Timestamp::now()).await?;
    let parts = [etcd_part(&members), server_part(&servers), leaders, certificates, node_part(&nodes)];
    let texts: Vec<String> = parts.iter().map(|part| part.rows.text(false)).collect();
    output::out::text(&texts.join("\n"));
    Ok(if parts.iter().all(|part| part.well) { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

// === impl Part ===

impl Part {
    fn of<const N: usize>(heads: [&str; N], rows: Vec<[String; N]>, well: bool) -> Self {
        let rows = Rows { heads: heads.map(Into::into).to_vec(), rows: rows.into_iter().map(Vec::from).collect() };
        Self { rows, well }
    }
}

/// A member that does not answer is a fault, and so is that nobody leads.
fn etcd_part(told: &Value) -> Part {
    let members: Vec<&Value> = told["members"].as_array().into_iter().flatten().collect();
    let row = |member: &&Value| {
        let text = |field: &str| member[field].as_str().unwrap_or_default().to_owned();
        let state = match (member["error"].as_str(), member["leads"] == true) {
            (Some(error), _) => error.to_owned(),
            (None, true) => "leads".into(),
            (None, false) => "follows".into(),
        };
        let size = member["size"].as_u64().map(size).unwrap_or_default();
        [text("name"), member["addresses"][0].as_str().unwrap_or_default().into(), text("version"), size, state]
    };
    let well = members.iter().all(|m| m["error"].is_null()) && members.iter().any(|m| m["leads"] == true);
    Part::of(["ETCD", "ADDRESS", "VERSION", "SIZE", "STATE"], members.iter().map(row).collect(), well)
}

/// Where the API servers say that they are; behind a load balancer all of them are one address.
fn server_part(endpoints: &Endpoints) -> Part {
    let mut rows = Vec::new();
    for subset in endpoints.subsets.iter().flatten() {
        let port = subset.ports.iter().flatten().next().map_or(0, |port| port.port);
        rows.extend(subset.addresses.iter().flatten().map(|address| [format!("https://{}:{port}", address.ip)]));
    }
    let well = !rows.is_empty();
    Part::of(["APISERVER"], rows, well)
}

async fn leaders(client: &Client, now: Timestamp) -> Result<Part, Error> {
    let api = client.namespaced::<Lease>("kube-system");
    let (mut rows, mut well) = (Vec::new(), true);
    for name in ELECTED {
        let lease = match api.get(name).await {
            Ok(lease) => Some(lease),
            Err(error) if error.is_not_found() => None,
            Err(error) => return Err(error.into()),
        };
        let (holder, state, good) = leader(lease.as_ref(), now);
        rows.push([(*name).to_owned(), holder, state]);
        well &= good;
    }
    Ok(Part::of(["ELECTED", "LEADER", "STATE"], rows, well))
}

/// Who leads, how that is, and whether it is well.
fn leader(lease: Option<&Lease>, now: Timestamp) -> (String, String, bool) {
    let spec = lease.and_then(|lease| lease.spec.as_ref());
    let holder = spec.and_then(|spec| spec.holder_identity.clone()).unwrap_or_default();
    if holder.is_empty() {
        return ("<none>".into(), "nobody leads".into(), false);
    }
    let renewed = spec.and_then(|spec| spec.renew_time.as_ref()).map_or(i64::MAX, |t| now.duration_since(t.0).as_secs());
    let lasts = spec.and_then(|spec| spec.lease_duration_seconds).map_or(0, i64::from);
    if renewed > lasts { (holder, "silent".into(), false) } else { (holder, "leads".into(), true) }
}

fn node_part(nodes: &[Node]) -> Part {
    let row = |node: &Node| {
        let status = node.status.as_ref();
        let address = status.and_then(|s| s.addresses.iter().flatten().find(|a| a.type_ == "InternalIP"));
        let version = status.and_then(|s| s.node_info.as_ref()).map(|info| info.kubelet_version.clone());
        let state = if is_ready(node) { "Ready" } else { "NotReady" };
        [node.name().to_owned(), address.map(|a| a.address.clone()).unwrap_or_default(), version.unwrap_or_default(), state.into()]
    };
    let well = nodes.iter().all(is_ready);
    Part::of(["NODE", "ADDRESS", "VERSION", "STATE"], nodes.iter().map(row).collect(), well)
}

fn is_ready(node: &Node) -> bool {
    let conditions = node.status.iter().flat_map(|status| status.conditions.iter().flatten());
    conditions.into_iter().any(|condition| condition.type_ == "Ready" && condition.status == "True")
}

#[cfg(test)]
mod tests {
    use nakhoda_api::kinds::coordination::LeaseSpec;
    use nakhoda_api::kinds::meta::MicroTime;
    use serde_json::json;

    use super::*;

    #[test]
    fn a_lost_member_and_a_lost_leader_are_faults() {
        let led = json!({"name": "one", "leads": true});
        assert!(etcd_part(&json!({"members": [led, {"name": "two", "leads": false}]})).well);
        assert!(!etcd_part(&json!({"members": [led, {"name": "two", "error": "no answer"}]})).well);
        assert!(!etcd_part(&json!({"members": [{"name": "two", "leads": false}]})).well);
    }

    #[test]
    fn a_leader_that_does_not_renew_is_silent() {
        let at = |seconds| Timestamp::from_second(seconds).expect("a time");
        let spec = LeaseSpec {
            holder_identity: Some("a".into()),
            lease_duration_seconds: Some(15),
            renew_time: Some(MicroTime(at(100))),
            ..LeaseSpec::default()
        };
        let lease = Lease { spec: Some(spec), ..Lease::default() };
        assert_eq!(leader(Some(&lease), at(110)), ("a".into(), "leads".into(), true));
        assert_eq!(leader(Some(&lease), at(120)), ("a".into(), "silent".into(), false));
        assert!(!leader(None, at(110)).2);
    }
}
