//! The controllers: one file and one line each, in alphabetic order.

use crate::context::Context;

/// A controller as the process starts it.
pub struct Entry {
    /// Its name: the file's.
    pub name: &'static str,
    /// Starts its watches and workers.
    pub start: fn(&Context),
}

/// A name in `--controllers` that no controller has.
#[derive(Debug, thiserror::Error)]
#[error("{0:?} is not in the list of known controllers")]
pub struct UnknownController(String);

/// Upstream's names of controllers that are called something else here. Its three of certificate requests are
/// one here, which `csr` names.
const UPSTREAM: &[(&str, &str)] = &[
    ("garbagecollector", "garbage"),
    ("persistentvolumebinder", "persistentvolume"),
    ("persistentvolumeclaimprotection", "pvcprotection"),
    ("persistentvolumeexpander", "volumeexpand"),
    ("persistentvolumeprotection", "pvprotection"),
    ("podgarbagecollector", "podgc"),
    ("replicationcontroller", "replication"),
    ("rootcacertificatepublisher", "rootca"),
    ("serviceaccounttoken", "token"),
];

/// The controllers that `--controllers` asks for: `*` stands for all, `name` for that one and `-name`
/// for all but that one; what is named goes before `*`. Hyphens, underscores and an ending
/// `-controller` make no difference, and upstream's other names are known too.
pub fn selected(asked: &[String]) -> Result<Vec<&'static Entry>, UnknownController> {
    let plain = |name: &str| {
        let plain = name.trim_end_matches("-controller").replace(['-', '_'], "");
        UPSTREAM.iter().find(|(theirs, _)| *theirs == plain).map_or(plain, |(_, ours)| (*ours).to_owned())
    };
    let known: Vec<String> = ALL.iter().map(|entry| plain(entry.name)).collect();
    let words = |off: bool| -> Vec<String> {
        let words = asked.iter().filter(|w| *w != "*" && w.starts_with('-') == off);
        words.map(|w| plain(w.strip_prefix('-').unwrap_or(w))).collect()
    };
    let (on, off) = (words(false), words(true));
    if let Some(unknown) = on.iter().chain(&off).find(|name| !known.contains(name)) {
        return Err(UnknownController(unknown.clone()));
    }
    let all = asked.iter().any(|w| w == "*");
    let wanted = |name: &String| on.contains(name) || (all && !off.contains(name));
    Ok(ALL.iter().zip(&known).filter(|(_, name)| wanted(name)).map(|(entry, _)| entry).collect())
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
    attach_detach,
    bootstrap_signer,
    cluster_role_aggregation,
    cron_job,
    csr,
    daemon_set,
    deployment,
    device_taint_eviction,
    disruption,
    endpoint_slice,
    endpoint_slice_mirroring,
    endpoints,
    ephemeral_volume,
    garbage,
    horizontal_pod_autoscaler,
    job,
    legacy_token_cleaner,
    local_path,
    namespace,
    node_ipam,
    node_lifecycle,
    persistent_volume,
    pod_gc,
    pod_group_protection,
    pv_protection,
    pvc_protection,
    replica_set,
    replication,
    resource_claim,
    resource_quota,
    root_ca,
    service_account,
    service_cidr,
    service_lb,
    stateful_set,
    storage_version_migrator,
    taint_eviction,
    token,
    token_cleaner,
    ttl,
    ttl_after_finished,
    volume_attributes_class_protection,
    volume_expand,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(asked: &[&str]) -> Vec<&'static str> {
        let asked: Vec<String> = asked.iter().map(|&a| a.to_owned()).collect();
        selected(&asked).expect("all are known").iter().map(|entry| entry.name).collect()
    }

    #[test]
    fn controllers_are_chosen_by_name() {
        assert_eq!(names(&["*"]).len(), ALL.len());
        assert_eq!(names(&["job", "statefulset-controller"]), ["job", "stateful_set"]);
        assert_eq!(names(&["persistentvolume-binder-controller"]), ["persistent_volume"]);
        assert_eq!(names(&["replicationcontroller-controller"]), ["replication"]);
        assert_eq!(names(&["*", "-job"]).len(), ALL.len() - 1);
        assert!(names(&["-job"]).is_empty());
        let unknown = selected(&["jobs".to_owned()]).map(drop).expect_err("there is none");
        assert_eq!(unknown.to_string(), "\"jobs\" is not in the list of known controllers");
    }
}
