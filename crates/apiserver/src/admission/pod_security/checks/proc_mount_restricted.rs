//! What runtimes hide of `/proc` stays hidden from all pods.

use super::{Check, Level, proc_mount};

pub(super) const CHECK: Check = Check {
    id: "procMount_restricted",
    level: Level::Restricted,
    versions: &[(35, proc_mount::all)],
    instead_of: Some(proc_mount::ID),
};
