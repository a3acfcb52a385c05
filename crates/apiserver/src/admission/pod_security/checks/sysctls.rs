//! Parameters of the kernel that no other pod feels.

use super::{Check, Fault, Level, Subject};

/// Since which minor version a name is allowed.
const ALLOWED: &[(u32, &str)] = &[
    (0, "kernel.shm_rmid_forced"),
    (0, "net.ipv4.ip_local_port_range"),
    (0, "net.ipv4.tcp_syncookies"),
    (0, "net.ipv4.ping_group_range"),
    (0, "net.ipv4.ip_unprivileged_port_start"),
    (27, "net.ipv4.ip_local_reserved_ports"),
    (29, "net.ipv4.tcp_keepalive_time"),
    (29, "net.ipv4.tcp_fin_timeout"),
    (29, "net.ipv4.tcp_keepalive_intvl"),
    (29, "net.ipv4.tcp_keepalive_probes"),
    (32, "net.ipv4.tcp_rmem"),
    (32, "net.ipv4.tcp_wmem"),
];

pub(super) const CHECK: Check = Check {
    id: "sysctls",
    level: Level::Baseline,
    versions: &[
        (0, |pod| look(pod, 0)),
        (27, |pod| look(pod, 27)),
        (29, |pod| look(pod, 29)),
        (32, |pod| look(pod, 32)),
    ],
    instead_of: None,
};

fn look(pod: &Subject<'_>, minor: u32) -> Option<Fault> {
    let allowed = |name: &str| ALLOWED.iter().any(|(since, one)| *since <= minor && *one == name);
    let given = pod.spec.security_context.iter().flat_map(|s| s.sysctls.iter().flatten());
    let bad: Vec<&str> = given.map(|sysctl| sysctl.name.as_str()).filter(|name| !allowed(name)).collect();
    if bad.is_empty() { None } else { Fault::new("forbidden sysctls", bad.join(", ")) }
}
