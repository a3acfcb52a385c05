//! The sizes of a pod's containers: what its specification asks for, what the node has given (allocated), and
//! what the runtime was told last (actuated). The last two outlive the kubelet in a file. All but that is pure.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use k8s_openapi::api::core::v1::{Container, Pod, PodSpec, ResourceRequirements};
use serde::{Deserialize, Serialize};

use crate::resources::{milli, of as amount, whole};

/// By container; the empty name is the pod as a whole.
pub type Sizes = BTreeMap<String, ResourceRequirements>;

/// What a pod was given, and what came of it.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
pub struct Ledger {
    /// What the node has given.
    pub allocated: Sizes,
    /// What the runtime was told last.
    pub actuated: Sizes,
}

/// What a running container's size needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// Nothing.
    None,
    /// The runtime has to be told.
    Update,
    /// The container has to start anew.
    Restart,
}

// === impl Ledger ===

impl Ledger {
    /// Reads what an earlier kubelet wrote; `None` if it wrote nothing that can be read.
    #[must_use]
    pub fn load(path: &Path) -> Option<Self> {
        let text = std::fs::read(path).ok()?;
        serde_json::from_slice(&text)
            .inspect_err(|error| tracing::warn!(%error, path = %path.display(), "unreadable sizes"))
            .ok()
    }

    /// Writes it for the next kubelet, all or nothing.
    pub fn save(&self, path: &Path) -> io::Result<()> {
        let fresh = path.with_extension("new");
        std::fs::create_dir_all(path.parent().unwrap_or(path))?;
        std::fs::write(&fresh, serde_json::to_vec(self)?)?;
        std::fs::rename(fresh, path)
    }

    /// What a running container's size needs. One that is not known was started at the size it has.
    #[must_use]
    pub fn change(&self, container: &Container) -> Change {
        let Some(actuated) = self.actuated.get(&container.name) else { return Change::None };
        let (now, wanted) = (values(Some(actuated)), values(container.resources.as_ref()));
        let restarts = |name: &str| {
            let policies = container.resize_policy.iter().flatten();
            policies.into_iter().any(|p| p.resource_name == name && p.restart_policy == "RestartContainer")
        };
        let changed = [("cpu", now.0 != wanted.0), ("memory", now.1 != wanted.1)];
        match changed.into_iter().filter(|(_, changed)| *changed).map(|(name, _)| restarts(name)).max() {
            None => Change::None,
            Some(false) => Change::Update,
            Some(true) => Change::Restart,
        }
    }

    /// The specification with what the runtime was told instead of what was given.
    #[must_use]
    pub fn actual(&self, spec: &PodSpec) -> PodSpec {
        let mut spec = spec.clone();
        set(&mut spec, &self.actuated);
        spec
    }
}

/// Request and limit of cpu, then of memory.
fn values(resources: Option<&ResourceRequirements>) -> ((i64, i64), (i64, i64)) {
    let (requests, limits) = (resources.and_then(|r| r.requests.as_ref()), resources.and_then(|r| r.limits.as_ref()));
    let cpu = |list| amount(list, "cpu").map_or(0, milli);
    let memory = |list| amount(list, "memory").map_or(0, whole);
    ((cpu(requests), cpu(limits)), (memory(requests), memory(limits)))
}

/// What a specification asks for.
#[must_use]
pub fn of(spec: &PodSpec) -> Sizes {
    let each = spec.init_containers.iter().flatten().chain(&spec.containers);
    let mut all: Sizes = each.map(|c| (c.name.clone(), c.resources.clone().unwrap_or_default())).collect();
    all.extend(spec.resources.clone().map(|whole| (String::new(), whole)));
    all
}

/// The pod at these sizes; what is not among them stays.
pub fn apply(pod: &mut Pod, sizes: &Sizes) {
    if let Some(spec) = &mut pod.spec {
        set(spec, sizes);
    }
}

fn set(spec: &mut PodSpec, sizes: &Sizes) {
    for container in spec.init_containers.iter_mut().flatten().chain(&mut spec.containers) {
        if let Some(size) = sizes.get(&container.name) {
            container.resources = Some(size.clone());
        }
    }
    if let Some(whole) = sizes.get("") {
        spec.resources = Some(whole.clone());
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn spec(cpu: &str, policy: Value) -> PodSpec {
        let resources = json!({"requests": {"cpu": cpu}});
        let container = json!({"name": "c", "resources": resources, "resizePolicy": policy});
        serde_json::from_value(json!({"containers": [container]})).expect("a spec")
    }

    #[test]
    fn a_size_changes_in_place_unless_its_policy_says_no() {
        let ledger = Ledger { actuated: of(&spec("1", json!([]))), ..Ledger::default() };
        let change = |cpu: &str, policy: Value| ledger.change(&spec(cpu, policy).containers[0]);
        assert_eq!(change("1000m", json!([])), Change::None);
        assert_eq!(change("2", json!([])), Change::Update);
        let restart = |name: &str| json!([{"resourceName": name, "restartPolicy": "RestartContainer"}]);
        assert_eq!(change("2", restart("cpu")), Change::Restart);
        assert_eq!(change("2", restart("memory")), Change::Update);
    }

    #[test]
    fn a_ledger_comes_back_from_its_file() {
        let path = std::env::temp_dir().join(format!("ledger-{}", std::process::id()));
        let ledger = Ledger { allocated: of(&spec("1", json!([]))), actuated: Sizes::new() };
        ledger.save(&path).expect("written");
        assert_eq!(Ledger::load(&path), Some(ledger));
        std::fs::remove_file(path).expect("removed");
    }

    #[test]
    fn a_pod_takes_the_sizes_it_was_given() {
        let mut pod = Pod { spec: Some(spec("2", json!([]))), ..Pod::default() };
        apply(&mut pod, &of(&spec("1", json!([]))));
        assert_eq!(pod.spec, Some(spec("1", json!([]))));
    }
}
