//! A pod with scheduling gates is not looked at until they are gone.

use crate::framework::{Gate, Plugin, Reason};
use crate::pod::PodInfo;

struct SchedulingGates;

/// The plugin.
#[must_use]
pub fn plugin() -> Plugin {
    Plugin::named("SchedulingGates").gate(SchedulingGates)
}

impl Gate for SchedulingGates {
    fn closed(&self, pod: &PodInfo) -> Option<Reason> {
        let gates = pod.spec()?.scheduling_gates.as_ref()?;
        if gates.is_empty() {
            return None;
        }
        let names: Vec<_> = gates.iter().map(|gate| gate.name.as_str()).collect();
        Some(format!("waiting for scheduling gates: [{}]", names.join(" ")).into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::{info, pod};

    #[test]
    fn gates_keep_a_pod_out_and_are_named() {
        assert_eq!(SchedulingGates.closed(&info(pod("a"))), None);
        let closed = SchedulingGates.closed(&info(pod("a").gate("x").gate("y")));
        assert_eq!(closed.as_deref(), Some("waiting for scheduling gates: [x y]"));
    }
}
