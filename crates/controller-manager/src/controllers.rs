//! The controllers: one file and one line each, in alphabetic order.

use crate::context::Context;

/// A controller as the process starts it.
pub struct Entry {
    /// Its name: the file's.
    pub name: &'static str,
    /// Starts its watches and workers.
    pub start: fn(&Context),
}

macro_rules! controllers {
    ($($name:ident),* $(,)?) => {
        $(pub mod $name;)*

        /// All controllers.
        pub const ALL: &[Entry] = &[$(Entry { name: stringify!($name), start: $name::start }),*];
    };
}

controllers! {
    addons,
    cluster_role_aggregation,
    cron_job,
    csr,
    daemon_set,
    deployment,
    disruption,
    endpoint_slice,
    endpoint_slice_mirroring,
    endpoints,
    ephemeral_volume,
    garbage,
    job,
    local_path,
    namespace,
    node_ipam,
    node_lifecycle,
    persistent_volume,
    pod_gc,
    pv_protection,
    pvc_protection,
    replica_set,
    replication,
    root_ca,
    service_account,
    service_cidr,
    service_lb,
    stateful_set,
    taint_eviction,
    token,
    token_cleaner,
    ttl_after_finished,
}
