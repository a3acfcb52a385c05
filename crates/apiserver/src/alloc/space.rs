//! What can be given out at the moment: addresses of the ServiceCIDRs that are ready, and node ports.

use std::net::Ipv4Addr;

use nakhoda_api::GroupVersionResource;
use nakhoda_api::kinds::networking::ServiceCIDR;
use nakhoda_api::network::Network;
use nakhoda_store::cache::Snapshot;

use super::{AddressRange, Allocators, PortRange};
use crate::storage::Storage;

/// The ServiceCIDR of the range that the flag names.
pub const DEFAULT: &str = "kubernetes";
/// So many random picks in one range before the free ones are looked up.
const PICKS: usize = 8;

/// The ranges, and the addresses that are known to be held.
pub struct Space {
    ranges: Vec<AddressRange>,
    /// Node ports.
    pub ports: PortRange,
    held: Option<Snapshot>,
}

// === impl Space ===

impl Space {
    /// What the cache shows. It may be a moment old: whoever writes finds out.
    #[must_use]
    pub fn of(allocators: &Allocators, storage: &Storage) -> Self {
        let cidrs = storage.list::<ServiceCIDR>(None);
        let named = cidrs.iter().any(|cidr| cidr.metadata.name.as_deref() == Some(DEFAULT));
        // the server is just starting, or will make it again in a moment
        let missing = (!named).then_some(allocators.addresses);
        let mut ranges: Vec<AddressRange> =
            missing.into_iter().chain(cidrs.iter().filter(|cidr| is_ready(cidr)).flat_map(ranges)).collect();
        ranges.sort_by_key(|range| *range != allocators.addresses);
        ranges.dedup();
        let addresses = GroupVersionResource::new("networking.k8s.io", "v1", "ipaddresses");
        Self { ranges, ports: allocators.ports, held: storage.snapshot(&addresses) }
    }

    /// Whether an address may be given.
    #[must_use]
    pub fn contains(&self, address: Ipv4Addr) -> bool {
        self.ranges.iter().any(|range| range.contains(address))
    }

    /// An address that nobody is known to hold: at random, from the first range that has one.
    #[must_use]
    pub fn pick(&self) -> Option<Ipv4Addr> {
        self.ranges.iter().find_map(|range| {
            let guess = |_| range.at(rand::random_range(range.dynamic()));
            let guessed = (0..PICKS).map(guess).find(|address| self.is_free(*address));
            guessed.or_else(|| range.all().find(|address| self.is_free(*address)))
        })
    }

    /// Every address, those first that are given out by themselves.
    pub fn all(&self) -> impl Iterator<Item = Ipv4Addr> {
        self.ranges.iter().flat_map(AddressRange::all)
    }

    fn is_free(&self, address: Ipv4Addr) -> bool {
        self.held.as_ref().is_none_or(|held| held.get(&address.to_string()).is_none())
    }
}

fn is_ready(cidr: &ServiceCIDR) -> bool {
    let conditions = cidr.status.as_ref().and_then(|status| status.conditions.as_ref());
    let ready = conditions.into_iter().flatten().any(|c| c.type_ == "Ready" && c.status == "True");
    ready && cidr.metadata.deletion_timestamp.is_none()
}

fn ranges(cidr: &ServiceCIDR) -> impl Iterator<Item = AddressRange> {
    let texts = cidr.spec.as_ref().and_then(|spec| spec.cidrs.as_ref()).into_iter().flatten();
    texts.filter_map(|text| AddressRange::try_from(text.parse::<Network>().ok()?).ok())
}
