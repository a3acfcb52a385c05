//! [`Topologies`]: for each label by which pods are spread or gathered, the domains that its values cut
//! the nodes into. Domains are small numbers, kept up to date by each node that comes, goes or is
//! labelled anew, so that a cycle adds up arrays and never compares texts.

use std::collections::{BTreeMap, HashMap};

use crate::node::Node;

/// Labels that are followed at most beside those that placed pods hold; the one unused for longest goes.
const MOST: usize = 256;
const NONE: u32 = u32::MAX;

/// Domains by label.
#[derive(Debug, Default)]
pub struct Topologies {
    all: HashMap<String, Topology>,
    tick: u64,
}

/// The domains of one label.
#[derive(Debug, Default)]
pub struct Topology {
    /// By slot.
    of: Vec<u32>,
    ids: HashMap<String, u32>,
    /// How many nodes each domain has; a number whose domain has none is given out again.
    sizes: Vec<u32>,
    vacant: Vec<u32>,
    held: u32,
    used: u64,
}

// === impl Topologies ===

impl Topologies {
    /// The domains of a label; without any if it is not followed.
    pub(super) fn get(&self, key: &str) -> Option<&Topology> {
        self.all.get(key)
    }

    /// Follows a label from now on.
    pub(super) fn track(&mut self, key: &str, nodes: &[Node]) {
        self.tick += 1;
        let tick = self.tick;
        if let Some(known) = self.all.get_mut(key) {
            known.used = tick;
            return;
        }
        self.make_room();
        let mut topology = Topology { used: tick, ..Topology::default() };
        for node in nodes {
            topology.set(node.slot, node.labels.get(key).filter(|_| node.known));
        }
        self.all.insert(key.into(), topology);
    }

    /// Follows a label until it is released as often as it was held.
    pub(super) fn hold(&mut self, key: &str, nodes: &[Node]) {
        self.track(key, nodes);
        if let Some(topology) = self.all.get_mut(key) {
            topology.held += 1;
        }
    }

    pub(super) fn release(&mut self, key: &str) {
        if let Some(topology) = self.all.get_mut(key) {
            topology.held = topology.held.saturating_sub(1);
        }
    }

    /// A node has these labels now; none if it is gone.
    pub(super) fn relabel(&mut self, slot: usize, labels: &BTreeMap<String, String>) {
        for (key, topology) in &mut self.all {
            topology.set(slot, labels.get(key));
        }
    }

    fn make_room(&mut self) {
        if self.all.len() < MOST {
            return;
        }
        let idle = self.all.iter().filter(|(_, topology)| topology.held == 0);
        if let Some(oldest) = idle.min_by_key(|(_, topology)| topology.used).map(|(key, _)| key.clone()) {
            self.all.remove(&oldest);
        }
    }
}

// === impl Topology ===

impl Topology {
    /// The domain of the node at a slot, if it has one.
    #[must_use]
    pub fn of(&self, slot: usize) -> Option<usize> {
        self.of.get(slot).filter(|id| **id != NONE).map(|id| *id as usize)
    }

    /// Above the number of every domain.
    #[must_use]
    pub fn end(&self) -> usize {
        self.sizes.len()
    }

    fn set(&mut self, slot: usize, value: Option<&String>) {
        if self.of.len() <= slot {
            self.of.resize(slot + 1, NONE);
        }
        let old = self.of[slot];
        let new = value.map_or(NONE, |value| self.id(value));
        if old == new {
            return;
        }
        self.of[slot] = new;
        if new != NONE {
            self.sizes[new as usize] += 1;
        }
        if old != NONE {
            self.sizes[old as usize] -= 1;
            if self.sizes[old as usize] == 0 {
                self.ids.retain(|_, id| *id != old);
                self.vacant.push(old);
            }
        }
    }

    /// The number of a value's domain; a new one has to be counted in at once.
    fn id(&mut self, value: &str) -> u32 {
        if let Some(id) = self.ids.get(value) {
            return *id;
        }
        let id = self.vacant.pop().unwrap_or_else(|| {
            self.sizes.push(0);
            u32::try_from(self.sizes.len() - 1).expect("fewer domains than nodes, and those fit an array")
        });
        self.ids.insert(value.into(), id);
        id
    }
}

#[cfg(test)]
mod tests {
    use crate::cluster::Cluster;
    use crate::fixtures::node;

    fn domains(cluster: &Cluster) -> Vec<Option<usize>> {
        let zones = cluster.topology("zone").expect("followed");
        (0..cluster.slots()).map(|slot| zones.of(slot)).collect()
    }

    #[test]
    fn domains_follow_the_nodes() {
        let mut cluster = Cluster::default();
        cluster.set_node(&node("a").label("zone", "1").build());
        cluster.set_node(&node("b").build());
        cluster.follow("zone");
        assert_eq!(domains(&cluster), [Some(0), None]);
        cluster.set_node(&node("b").label("zone", "1").build());
        cluster.set_node(&node("c").label("zone", "2").build());
        assert_eq!(domains(&cluster), [Some(0), Some(0), Some(1)]);
        cluster.set_node(&node("a").label("zone", "2").build());
        cluster.set_node(&node("b").label("zone", "2").build());
        assert_eq!(domains(&cluster), [Some(1), Some(1), Some(1)]);
        cluster.remove_node("c");
        cluster.set_node(&node("d").label("zone", "3").build());
        assert_eq!(domains(&cluster), [Some(1), Some(1), Some(0)], "a number whose domain is gone is given out again");
    }

    #[test]
    fn a_label_nobody_asks_for_is_forgotten_in_the_end() {
        let mut cluster = Cluster::default();
        cluster.set_node(&node("a").label("zone", "1").build());
        for index in 0..2000 {
            cluster.follow(&format!("key-{index}"));
        }
        assert!(cluster.topology("key-0").is_none() && cluster.topology("key-1999").is_some());
    }
}
