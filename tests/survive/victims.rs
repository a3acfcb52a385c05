//! Every daemon, and how it is killed.

use std::process::Command;

use anyhow::Result;
use nakhoda_tests::machine::Machine;
use nakhoda_tests::plane::{Plane, signal};

/// All of them. `LEADING` ones are those that lead at that moment.
pub(crate) const ALL: [Victim; 10] = [
    Victim::Service("apiserver-1"),
    Victim::Service("apiserver-2"),
    Victim::Service("etcd-3"),
    Victim::Leader("etcd"),
    Victim::Leader("kube-scheduler"),
    Victim::Leader("kube-controller-manager"),
    Victim::Kubelet(0),
    Victim::Kubelet(1),
    Victim::Process("proxy"),
    Victim::Process("dns"),
];

/// One of them.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Victim {
    /// A service of the control plane.
    Service(&'static str),
    /// Whoever leads.
    Leader(&'static str),
    /// A machine's kubelet.
    Kubelet(usize),
    /// What runs in a pod on a node.
    Process(&'static str),
}

// === impl Victim ===

impl std::fmt::Display for Victim {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Service(name) => f.write_str(name),
            Self::Leader(what) => write!(f, "the leader of {what}"),
            Self::Kubelet(machine) => write!(f, "the kubelet of node-{}", machine + 1),
            Self::Process(name) => write!(f, "a {name}"),
        }
    }
}

/// Kills one without a word; whoever supervises it starts it again.
pub(crate) fn kill(victim: Victim, plane: &Plane, machines: &mut [Machine; 2]) -> Result<()> {
    match victim {
        Victim::Service(name) => plane.kill(name),
        // While nobody leads there is nobody to kill.
        Victim::Leader(what) => plane.leader(what).map_or(Ok(()), |leader| plane.kill(&leader)),
        Victim::Kubelet(machine) => machines[machine].kill(),
        Victim::Process(name) => {
            let found = Command::new("pgrep").args(["-o", "-x", name]).output()?;
            let pid = String::from_utf8(found.stdout)?;
            // Killed again and again, all of them may be waiting in their back-off.
            if pid.trim().is_empty() { Ok(()) } else { signal("KILL", pid.trim()) }
        }
    }
}
