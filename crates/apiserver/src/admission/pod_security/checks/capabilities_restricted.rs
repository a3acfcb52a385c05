//! All capabilities are given up, but for that of ports below 1024.

use super::{Check, Fault, Level, Subject, capabilities_baseline, text};

pub(super) const CHECK: Check = Check {
    id: "capabilities_restricted",
    level: Level::Restricted,
    versions: &[(22, all), (25, but_windows)],
    instead_of: Some(capabilities_baseline::ID),
};

fn all(pod: &Subject<'_>) -> Option<Fault> {
    let keeping = pod.named(|one| {
        let dropped = one.security.and_then(|s| s.capabilities.as_ref()).and_then(|c| c.drop.as_ref());
        !dropped.is_some_and(|dropped| dropped.iter().any(|one| one == "ALL"))
    });
    let kept = (!keeping.is_empty())
        .then(|| format!("{} must set securityContext.capabilities.drop=[\"ALL\"]", text::containers(&keeping)));
    let told: Vec<String> =
        kept.into_iter().chain(capabilities_baseline::added(pod, &["NET_BIND_SERVICE"])).collect();
    if told.is_empty() { None } else { Fault::new("unrestricted capabilities", told.join("; ")) }
}

fn but_windows(pod: &Subject<'_>) -> Option<Fault> {
    if pod.is_windows() { None } else { all(pod) }
}
