//! The plugins, in the order in which they run: one file and one line each.
//!
//! The order matters to people: of several filters that refuse a node, the first is the one that
//! FailedScheduling tells. It is upstream's order.

use crate::framework::Plugin;

macro_rules! plugins {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        $($(#[$doc])* pub mod $name;)*

        /// Every plugin.
        #[must_use]
        pub fn all() -> Vec<Plugin> {
            vec![$($name::plugin(),)*]
        }
    };
}

plugins! {
    scheduling_gates,
    priority_sort,
    unschedulable,
    node_name,
    taints,
    node_affinity,
    node_ports,
    resources_fit,
    volume_restrictions,
    volume_limits,
    volume_binding,
    volume_zone,
    topology_spread,
    inter_pod_affinity,
    dynamic_resources,
    preemption,
    balanced,
    image_locality,
    interference,
    binder,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_is_registered_and_names_are_unique() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/plugin");
        let files = std::fs::read_dir(folder).expect("the folder is there");
        let files = files.filter(|f| f.as_ref().is_ok_and(|f| f.path().extension().is_some_and(|e| e == "rs"))).count();
        let mut names: Vec<_> = all().iter().map(|p| p.name).collect();
        assert_eq!(files, names.len());
        names.sort_unstable();
        names.dedup();
        assert_eq!(files, names.len());
    }
}
