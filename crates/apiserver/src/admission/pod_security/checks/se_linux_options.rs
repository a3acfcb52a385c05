//! SELinux: a few types, and neither user nor role.

use std::collections::BTreeSet;

use nakhoda_api::kinds::core::SELinuxOptions;

use super::{Check, Fault, Level, Subject, text};

const TYPES: &[&str] = &["", "container_t", "container_init_t", "container_kvm_t"];
const TYPES_31: &[&str] = &["", "container_t", "container_init_t", "container_kvm_t", "container_engine_t"];

pub(super) const CHECK: Check = Check {
    id: "seLinuxOptions",
    level: Level::Baseline,
    versions: &[(0, |pod| look(pod, TYPES)), (31, |pod| look(pod, TYPES_31))],
    instead_of: None,
};

fn look(pod: &Subject<'_>, types: &[&str]) -> Option<Fault> {
    let kind = |options: &SELinuxOptions| {
        options.type_.clone().filter(|kind| !types.contains(&kind.as_str()))
    };
    let given = |field: &Option<String>| field.as_ref().is_some_and(|text| !text.is_empty());
    let bad = |o: &SELinuxOptions| kind(o).is_some() || given(&o.user) || given(&o.role);
    let of_pod = pod.spec.security_context.as_ref().and_then(|s| s.se_linux_options.as_ref());
    let of_containers = pod.containers.iter().filter_map(|one| one.security?.se_linux_options.as_ref());
    let all: Vec<&SELinuxOptions> = of_pod.into_iter().chain(of_containers).collect();
    let names = pod.named(|one| one.security.and_then(|s| s.se_linux_options.as_ref()).is_some_and(bad));
    let setters = text::setters(of_pod.is_some_and(bad), &names)?;
    let kinds: BTreeSet<String> = all.iter().filter_map(|options| kind(options)).collect();
    let mut told = Vec::new();
    if !kinds.is_empty() {
        told.push(format!("{} {}", text::plural(kinds.len(), "type", "types"), text::quoted(&kinds)));
    }
    if all.iter().any(|options| given(&options.user)) {
        told.push("user may not be set".into());
    }
    if all.iter().any(|options| given(&options.role)) {
        told.push("role may not be set".into());
    }
    let why = format!("{setters} set forbidden securityContext.seLinuxOptions: {}", told.join("; "));
    Fault::new("seLinuxOptions", why)
}
