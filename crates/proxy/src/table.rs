//! The elements of the maps and sets, by owner: what is there, and what a change of one owner adds and
//! removes. When two owners claim one key the first in order has it until it lets go, so that a
//! conflict can never make a transaction fail.

use std::collections::{BTreeMap, BTreeSet, HashMap};

/// The maps and sets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Set {
    /// Address, protocol, port and a share of the marks → endpoint.
    Addresses,
    /// Protocol, port and a share of the marks → endpoint, on the node's own addresses.
    Ports,
    /// Cluster IPs: what no port of theirs took is refused.
    ClusterIps,
    /// Addresses of Services that have no endpoint.
    EmptyAddresses,
    /// Node ports of Services that have no endpoint.
    EmptyPorts,
    /// External addresses that keep the client's address.
    KeepAddresses,
    /// Node ports that keep the client's address.
    KeepPorts,
    /// Endpoints on this node, twice: who calls itself must be masqueraded.
    Hairpins,
    /// Addresses with session affinity; the timeout in seconds.
    StickyAddresses(u32),
    /// Node ports with session affinity; the timeout in seconds.
    StickyPorts(u32),
}

/// Who wants an element: a Service, or a pod with a host port.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Owner {
    /// `namespace/name`.
    Service(String),
    /// `namespace/name`.
    Pod(String),
}

/// One key of a set with what it maps to: nothing for a plain set, one target for each share of the
/// marks for a map.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Element {
    /// Where.
    pub set: Set,
    /// The key as nftables prints it, without the share.
    pub key: String,
    /// The targets as nftables prints them.
    pub targets: Vec<String>,
}

/// A change of what nftables holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Difference {
    /// To be removed first.
    pub removed: Vec<Element>,
    /// To be added then.
    pub added: Vec<Element>,
}

type Slot = (Set, String);

/// All elements by owner.
#[derive(Clone, Debug, Default)]
pub struct Table {
    claims: BTreeMap<Slot, BTreeMap<Owner, Vec<String>>>,
    owned: HashMap<Owner, BTreeSet<Slot>>,
}

// === impl Difference ===

impl Difference {
    /// Whether nothing changes.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.removed.is_empty() && self.added.is_empty()
    }

    /// Adds a later change.
    pub fn extend(&mut self, later: Self) {
        self.removed.extend(later.removed);
        self.added.extend(later.added);
    }
}

// === impl Table ===

impl Table {
    /// Gives an owner these elements instead of those that it had.
    pub fn replace(&mut self, owner: &Owner, elements: Vec<Element>) -> Difference {
        let mut wanted: BTreeMap<Slot, Vec<String>> =
            elements.into_iter().map(|e| ((e.set, e.key), e.targets)).collect();
        let slots: BTreeSet<Slot> = wanted.keys().cloned().collect();
        let before = self.owned.insert(owner.clone(), slots.clone()).unwrap_or_default();
        let mut difference = Difference::default();
        for slot in before.union(&slots) {
            self.claim(slot, owner, wanted.remove(slot), &mut difference);
        }
        if slots.is_empty() {
            self.owned.remove(owner);
        }
        difference
    }

    /// Everything that is in force.
    #[must_use]
    pub fn elements(&self) -> Vec<Element> {
        self.claims.iter().filter_map(|(slot, claims)| in_force(slot, Some(claims))).collect()
    }

    fn claim(&mut self, slot: &Slot, owner: &Owner, targets: Option<Vec<String>>, difference: &mut Difference) {
        let before = in_force(slot, self.claims.get(slot));
        let claims = self.claims.entry(slot.clone()).or_default();
        match targets {
            Some(targets) => claims.insert(owner.clone(), targets),
            None => claims.remove(owner),
        };
        let after = in_force(slot, Some(claims));
        if claims.is_empty() {
            self.claims.remove(slot);
        }
        if before != after {
            difference.removed.extend(before);
            difference.added.extend(after);
        }
    }
}

fn in_force(slot: &Slot, claims: Option<&BTreeMap<Owner, Vec<String>>>) -> Option<Element> {
    let (_, targets) = claims?.first_key_value()?;
    Some(Element { set: slot.0, key: slot.1.clone(), targets: targets.clone() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn port(target: &str) -> Vec<Element> {
        vec![Element { set: Set::Ports, key: "tcp . 80".into(), targets: vec![target.into()] }]
    }

    #[test]
    fn an_unchanged_owner_changes_nothing() {
        let mut table = Table::default();
        let owner = Owner::Service("a/b".into());
        assert_eq!(table.replace(&owner, port("x")).added, port("x"));
        assert!(table.replace(&owner, port("x")).is_empty());
        assert_eq!(table.replace(&owner, port("y")), Difference { removed: port("x"), added: port("y") });
        assert_eq!(table.replace(&owner, Vec::new()), Difference { removed: port("y"), added: Vec::new() });
        assert!(table.elements().is_empty());
    }

    #[test]
    fn a_key_goes_to_the_next_owner_when_the_first_lets_go() {
        let mut table = Table::default();
        let (first, second) = (Owner::Service("a/a".into()), Owner::Service("a/b".into()));
        table.replace(&second, port("2"));
        assert_eq!(table.replace(&first, port("1")), Difference { removed: port("2"), added: port("1") });
        assert!(table.replace(&second, port("3")).is_empty());
        assert_eq!(table.replace(&first, Vec::new()), Difference { removed: port("1"), added: port("3") });
    }
}
