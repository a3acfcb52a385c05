//! ServiceCIDRs: ready once they are protected, and gone only when no Service would lose its range
//! (`pkg/controller/servicecidrs`).

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use nakhoda_api::kinds::meta::{Condition, Time};
use nakhoda_api::kinds::networking::{IPAddress, ServiceCIDR};
use nakhoda_api::network::Network;
use nakhoda_client::{Informer, Key, Outcome, Reconcile, Resource, Result};

use crate::context::{Context, Watches};

const NAME: &str = "service-cidr-controller";
const FINALIZER: &str = "networking.k8s.io/service-cidr-finalizer";
const READY: &str = "Kubernetes Service CIDR is ready";
const HELD: &str =
    "There are still IPAddresses referencing the ServiceCIDR, please remove them or create a new ServiceCIDR";
/// So long every API server is given to see that a range is going.
const GRACE: Duration = Duration::from_secs(10);

/// Starts the controller.
pub fn start(cx: &Context) {
    let (cidrs, addresses) = (cx.informers.of::<ServiceCIDR>(), cx.informers.of::<IPAddress>());
    let mut watches = Watches::new(cx, NAME);
    let all = cidrs.clone();
    watches.on(&cidrs, move |cidr: &ServiceCIDR| {
        let near = all.list().into_iter().filter(|other| networks(other).any(|n| networks(cidr).any(|m| n.overlaps(m))));
        near.map(|other| Key::of(&*other)).chain([Key::of(cidr)]).collect()
    });
    let all = cidrs.clone();
    watches.on(&addresses, move |address: &IPAddress| {
        let Some(address) = held(address) else { return Vec::new() };
        let around = all.list().into_iter().filter(|cidr| networks(cidr).any(|network| network.contains(address)));
        around.map(|cidr| Key::of(&*cidr)).collect()
    });
    watches.run(1, ServiceCidrs { cx: cx.clone(), cidrs, addresses });
}

struct ServiceCidrs {
    cx: Context,
    cidrs: Informer<ServiceCIDR>,
    addresses: Informer<IPAddress>,
}

/// What is to be done about one of them.
#[derive(Debug, PartialEq, Eq)]
enum Step {
    /// It is protected, and ready then.
    Protect,
    /// It goes, but addresses of Services lie in it alone.
    Block,
    /// It goes, in so long.
    Wait(Duration),
    /// It may go.
    Release,
}

// === impl ServiceCidrs ===

impl Reconcile for ServiceCidrs {
    fn name(&self) -> &'static str {
        NAME
    }

    async fn reconcile(&self, key: &Key) -> Result<Outcome> {
        let Some(cidr) = self.cidrs.get(key) else { return Ok(Outcome::Done) };
        let now = crate::clock::now();
        let held: Vec<IpAddr> = self.addresses.list().iter().filter_map(|address| held(address)).collect();
        let mut new = (*cidr).clone();
        match plan(&cidr, &self.cidrs.list(), &held, now) {
            Step::Wait(time) => return Ok(Outcome::After(time)),
            Step::Block => self.mark(new, condition("False", "Terminating", HELD, now)).await?,
            Step::Release => {
                if let Some(finalizers) = &mut new.metadata.finalizers {
                    finalizers.retain(|finalizer| finalizer != FINALIZER);
                }
                self.write(&cidr, &new).await?;
            }
            Step::Protect => {
                let finalizers = new.metadata.finalizers.get_or_insert_default();
                if !finalizers.iter().any(|finalizer| finalizer == FINALIZER) {
                    finalizers.push(FINALIZER.into());
                }
                let Some(written) = self.write(&cidr, &new).await? else { return Ok(Outcome::Done) };
                self.mark(written, condition("True", "", READY, now)).await?;
            }
        }
        Ok(Outcome::Done)
    }
}

impl ServiceCidrs {
    /// The object as it is now; `None` if it is gone.
    async fn write(&self, old: &ServiceCIDR, new: &ServiceCIDR) -> Result<Option<ServiceCIDR>> {
        if old == new {
            return Ok(Some(new.clone()));
        }
        match self.cx.client.all::<ServiceCIDR>().update(new).await {
            Err(error) if error.is_not_found() => Ok(None),
            other => other.map(Some),
        }
    }

    async fn mark(&self, mut cidr: ServiceCIDR, wanted: Condition) -> Result<()> {
        let conditions = cidr.status.get_or_insert_default().conditions.get_or_insert_default();
        let said = conditions.iter().find(|condition| condition.type_ == wanted.type_);
        // who said first that it is ready keeps his words
        if said.is_some_and(|said| said.status == wanted.status && said.reason == wanted.reason) {
            return Ok(());
        }
        conditions.retain(|condition| condition.type_ != wanted.type_);
        conditions.push(wanted);
        match self.cx.client.all::<ServiceCIDR>().update_status(&cidr).await {
            Err(error) if error.is_not_found() => Ok(()),
            other => other.map(drop),
        }
    }
}

fn plan(cidr: &ServiceCIDR, all: &[Arc<ServiceCIDR>], held: &[IpAddr], now: Timestamp) -> Step {
    let Some(deleted) = &cidr.metadata.deletion_timestamp else { return Step::Protect };
    let others = || all.iter().filter(|other| other.name() != cidr.name()).flat_map(|other| networks(other));
    let replaced = networks(cidr).all(|network| others().any(|other| other.covers(network)));
    let orphan = |address: &&IpAddr| {
        networks(cidr).any(|network| network.contains(**address)) && !others().any(|other| other.contains(**address))
    };
    if !replaced && held.iter().find(orphan).is_some() {
        return Step::Block;
    }
    let over = deleted.0 + jiff::SignedDuration::from_secs(GRACE.as_secs().cast_signed());
    match Duration::try_from(over.duration_since(now)) {
        Ok(left) if !left.is_zero() => Step::Wait(left),
        _ => Step::Release,
    }
}

/// The address, if a Service holds it.
fn held(address: &IPAddress) -> Option<IpAddr> {
    let labels = address.metadata.labels.as_ref()?;
    let ours = labels.get("ipaddress.kubernetes.io/managed-by").is_some_and(|by| by == "ipallocator.k8s.io");
    address.name().parse().ok().filter(|_| ours)
}

fn networks(cidr: &ServiceCIDR) -> impl Iterator<Item = Network> {
    let texts = cidr.spec.as_ref().and_then(|spec| spec.cidrs.as_ref());
    texts.into_iter().flatten().filter_map(|text| text.parse().ok())
}

fn condition(status: &str, reason: &str, message: &str, now: Timestamp) -> Condition {
    Condition {
        type_: "Ready".into(),
        status: status.into(),
        reason: reason.into(),
        message: message.into(),
        last_transition_time: Time(now),
        observed_generation: None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn cidr(name: &str, range: &str, deleted: bool) -> Arc<ServiceCIDR> {
        let time = deleted.then_some("2026-01-02T03:04:05Z");
        let value = json!({"metadata": {"name": name, "deletionTimestamp": time}, "spec": {"cidrs": [range]}});
        Arc::new(serde_json::from_value(value).expect("a ServiceCIDR"))
    }

    #[test]
    fn a_range_goes_only_when_no_service_loses_its_own() {
        let now = |text: &str| text.parse::<Timestamp>().expect("a time");
        let (late, soon) = (now("2026-01-02T04:00:00Z"), now("2026-01-02T03:04:08Z"));
        let (going, wide) = (cidr("a", "10.1.0.0/24", true), cidr("b", "10.0.0.0/8", false));
        let (inside, outside) = (IpAddr::from([10, 1, 0, 7]), IpAddr::from([10, 2, 0, 7]));
        let alone = [going.clone()];
        assert_eq!(plan(&going, &alone, &[inside], late), Step::Block);
        assert_eq!(plan(&going, &alone, &[outside], late), Step::Release);
        assert_eq!(plan(&going, &alone, &[], soon), Step::Wait(Duration::from_secs(7)));
        assert_eq!(plan(&going, &[going.clone(), wide.clone()], &[inside], late), Step::Release);
        assert_eq!(plan(&wide, &[going, wide.clone()], &[inside], late), Step::Protect);
    }
}
