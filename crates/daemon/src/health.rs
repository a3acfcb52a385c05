//! Named health checks and their text form, as `/livez`, `/readyz` and `/healthz` answer it
//! (`k8s.io/apiserver/pkg/server/healthz`).

use std::collections::BTreeSet;
use std::sync::Arc;

use parking_lot::RwLock;

/// Answers whether one thing is in order; the error says why it is not.
pub type Check = Arc<dyn Fn() -> Result<(), String> + Send + Sync>;

/// The checks of a process. Cheap to clone.
#[derive(Clone, Default)]
pub struct Health {
    checks: Arc<RwLock<Vec<Named>>>,
}

#[derive(Clone)]
struct Named {
    name: String,
    live: bool,
    check: Check,
}

/// Which checks count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Probe {
    /// `/livez`: a restart would help.
    Live,
    /// `/readyz` and `/healthz`: all of them.
    Ready,
}

/// The outcome of a probe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// Whether every check passed.
    pub ok: bool,
    /// `ok`, or a line for each check.
    pub text: String,
}

// === impl Health ===

impl Health {
    /// Adds a check that counts for `/readyz` only.
    pub fn ready(&self, name: impl Into<String>, check: Check) {
        self.checks.write().push(Named { name: name.into(), live: false, check });
    }

    /// Adds a check that counts for `/livez` too.
    pub fn live(&self, name: impl Into<String>, check: Check) {
        self.checks.write().push(Named { name: name.into(), live: true, check });
    }

    /// The names of the checks that count for a probe.
    #[must_use]
    pub fn names(&self, probe: Probe) -> Vec<String> {
        self.checks.read().iter().filter(|c| c.counts(probe)).map(|c| c.name.clone()).collect()
    }

    /// Runs one check by name.
    #[must_use]
    pub fn one(&self, name: &str) -> Option<Result<(), String>> {
        let check = self.checks.read().iter().find(|c| c.name == name)?.check.clone();
        Some(check())
    }

    /// Runs all checks that count, except those excluded by name. `path` is `livez`, `readyz` or `healthz`.
    #[must_use]
    pub fn report(&self, probe: Probe, path: &str, verbose: bool, excluded: &BTreeSet<String>) -> Report {
        let checks: Vec<Named> = self.checks.read().iter().filter(|c| c.counts(probe)).cloned().collect();
        let mut ok = true;
        let mut text = String::from("[+]ping ok\n");
        for named in checks {
            if excluded.contains(&named.name) {
                text.push_str(&format!("[+]{} excluded: ok\n", named.name));
                continue;
            }
            match (named.check)() {
                Ok(()) => text.push_str(&format!("[+]{} ok\n", named.name)),
                Err(error) => {
                    tracing::info!(check = named.name, error, "health check failed");
                    ok = false;
                    text.push_str(&format!("[-]{} failed: reason withheld\n", named.name));
                }
            }
        }
        let known = self.names(probe);
        let unknown: Vec<_> = excluded.iter().filter(|e| !known.contains(*e)).map(|e| format!("\"{e}\"")).collect();
        if !unknown.is_empty() {
            text.push_str(&format!(
                "warn: some health checks cannot be excluded: no matches for {}\n",
                unknown.join(",")
            ));
        }
        match (ok, verbose) {
            (true, false) => Report { ok, text: "ok".into() },
            (true, true) => Report { ok, text: format!("{text}{path} check passed\n") },
            (false, _) => Report { ok, text: format!("{text}{path} check failed\n") },
        }
    }
}

impl Named {
    fn counts(&self, probe: Probe) -> bool {
        self.live || probe == Probe::Ready
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failing_check_is_named_and_can_be_excluded() {
        let health = Health::default();
        health.live("etcd", Arc::new(|| Err("down".into())));
        let none = BTreeSet::new();
        let report = health.report(Probe::Ready, "readyz", false, &none);
        assert!(!report.ok && report.text.contains("[-]etcd failed") && !report.text.contains("down"));
        let excluded = BTreeSet::from(["etcd".to_owned()]);
        assert!(health.report(Probe::Ready, "readyz", false, &excluded).ok);
    }
}
