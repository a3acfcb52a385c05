//! [`Resources`]: what a pod asks for and what a node has, as whole numbers.

use std::collections::BTreeMap;

use nakhoda_api::kinds::Quantity as Text;
use nakhoda_api::kinds::core::{Container, Pod, PodSpec, PodStatus};
use nakhoda_api::quantity::Quantity;

/// What a container without a request is taken to need when nodes are scored: 0.1 core.
const DEFAULT_CPU: i64 = 100;
/// The same for memory: 200 MiB.
const DEFAULT_MEMORY: i64 = 200 << 20;

/// Amounts by resource.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Resources {
    /// Thousandths of a core.
    pub cpu: i64,
    /// Bytes.
    pub memory: i64,
    /// Bytes.
    pub ephemeral_storage: i64,
    /// Everything else but `pods`: huge pages and extended resources.
    pub others: BTreeMap<String, i64>,
}

/// Which resource; what every node has is found without a search.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ResourceName {
    /// `cpu`.
    Cpu,
    /// `memory`.
    Memory,
    /// `ephemeral-storage`.
    EphemeralStorage,
    /// Any other.
    Other(String),
}

// === impl ResourceName ===

impl From<&str> for ResourceName {
    fn from(name: &str) -> Self {
        match name {
            "cpu" => Self::Cpu,
            "memory" => Self::Memory,
            "ephemeral-storage" => Self::EphemeralStorage,
            other => Self::Other(other.into()),
        }
    }
}

// === impl Resources ===

impl Resources {
    /// Reads a resource list. Quantities were checked by the API server; one that cannot be read
    /// counts as nothing.
    pub fn read<'a>(list: impl IntoIterator<Item = (&'a String, &'a Text)>) -> Self {
        let mut resources = Self::default();
        for (name, text) in list {
            let quantity = Quantity::parse(&text.0).unwrap_or(Quantity::ZERO);
            match name.as_str() {
                "cpu" => resources.cpu = quantity.milli(),
                "memory" => resources.memory = quantity.value(),
                "ephemeral-storage" => resources.ephemeral_storage = quantity.value(),
                "pods" => {}
                _ => drop(resources.others.insert(name.clone(), quantity.value())),
            }
        }
        resources
    }

    /// What a pod asks for: its containers and sidecars together, or the largest step of its
    /// initialisation if that is more; then what the pod as a whole asks for, and its overhead. While its size
    /// changes, the most of what it asks for, was given and has counts.
    #[must_use]
    pub fn requested(pod: &Pod) -> Self {
        let held = |container: &Container| {
            let mut most = request(container);
            if let Some(status) = &pod.status {
                most.raise(&given(status, &container.name));
            }
            most
        };
        pod.spec.as_ref().map(|spec| total(spec, held)).unwrap_or_default()
    }

    /// The same for scoring, where a container without a request is not free: CPU and memory.
    #[must_use]
    pub fn scored(pod: &Pod) -> [i64; 2] {
        let total = pod.spec.as_ref().map(|spec| total(spec, request_or_default)).unwrap_or_default();
        [total.cpu, total.memory]
    }

    /// Adds the other amounts.
    pub fn add(&mut self, other: &Self) {
        self.cpu += other.cpu;
        self.memory += other.memory;
        self.ephemeral_storage += other.ephemeral_storage;
        for (name, amount) in &other.others {
            *self.others.entry(name.clone()).or_default() += amount;
        }
    }

    /// Takes the other amounts away.
    pub fn subtract(&mut self, other: &Self) {
        self.cpu -= other.cpu;
        self.memory -= other.memory;
        self.ephemeral_storage -= other.ephemeral_storage;
        for (name, amount) in &other.others {
            *self.others.entry(name.clone()).or_default() -= amount;
        }
    }

    /// The amount of one resource.
    #[must_use]
    pub fn amount(&self, name: &ResourceName) -> i64 {
        match name {
            ResourceName::Cpu => self.cpu,
            ResourceName::Memory => self.memory,
            ResourceName::EphemeralStorage => self.ephemeral_storage,
            ResourceName::Other(name) => self.others.get(name).copied().unwrap_or_default(),
        }
    }

    /// Whether nothing is asked for.
    #[must_use]
    pub fn is_zero(&self) -> bool {
        self.cpu == 0 && self.memory == 0 && self.ephemeral_storage == 0 && self.others.values().all(|a| *a == 0)
    }

    fn raise(&mut self, other: &Self) {
        self.cpu = self.cpu.max(other.cpu);
        self.memory = self.memory.max(other.memory);
        self.ephemeral_storage = self.ephemeral_storage.max(other.ephemeral_storage);
        for (name, amount) in &other.others {
            let mine = self.others.entry(name.clone()).or_default();
            *mine = (*mine).max(*amount);
        }
    }
}

fn total(spec: &PodSpec, of: impl Fn(&Container) -> Resources) -> Resources {
    let mut running = Resources::default();
    for container in &spec.containers {
        running.add(&of(container));
    }
    let mut sidecars = Resources::default();
    let mut starting = Resources::default();
    for container in spec.init_containers.iter().flatten() {
        let wanted = of(container);
        let mut step = sidecars.clone();
        step.add(&wanted);
        starting.raise(&step);
        if container.restart_policy.as_deref() == Some("Always") {
            sidecars.add(&wanted);
        }
    }
    running.add(&sidecars);
    running.raise(&starting);
    replace(&mut running, spec);
    running.add(&Resources::read(spec.overhead.iter().flatten()));
    running
}

/// What the pod as a whole asks for stands in place of the sum.
fn replace(sum: &mut Resources, spec: &PodSpec) {
    let Some(requests) = spec.resources.as_ref().and_then(|r| r.requests.as_ref()) else { return };
    let whole = Resources::read(requests);
    if requests.contains_key("cpu") {
        sum.cpu = whole.cpu;
    }
    if requests.contains_key("memory") {
        sum.memory = whole.memory;
    }
    sum.others.extend(whole.others);
}

/// The most of what a container was given by its node, and of what it has.
fn given(status: &PodStatus, name: &str) -> Resources {
    let all = status.container_statuses.iter().chain(&status.init_container_statuses).flatten();
    let mut most = Resources::default();
    for told in all.filter(|told| told.name == name) {
        most.raise(&Resources::read(told.allocated_resources.iter().flatten()));
        most.raise(&Resources::read(told.resources.iter().filter_map(|r| r.requests.as_ref()).flatten()));
    }
    most
}

fn request(container: &Container) -> Resources {
    Resources::read(container.resources.iter().filter_map(|r| r.requests.as_ref()).flatten())
}

fn request_or_default(container: &Container) -> Resources {
    let mut wanted = request(container);
    let named = |name| {
        container
            .resources
            .as_ref()
            .and_then(|r| r.requests.as_ref())
            .is_some_and(|requests| requests.contains_key(name))
    };
    if !named("cpu") {
        wanted.cpu = DEFAULT_CPU;
    }
    if !named("memory") {
        wanted.memory = DEFAULT_MEMORY;
    }
    wanted
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::{container, pod};

    #[test]
    fn a_pod_needs_its_containers_or_the_largest_step_of_its_start() {
        let mut pod = pod("a").cpu("500m").build();
        let spec = pod.spec.as_mut().expect("a spec");
        let sidecar = Container { restart_policy: Some("Always".into()), ..container("s", "200m") };
        spec.init_containers = Some(vec![container("first", "1"), sidecar, container("last", "900m")]);
        assert_eq!(Resources::requested(&pod).cpu, 1100);
        pod.spec.as_mut().expect("a spec").init_containers = None;
        assert_eq!(Resources::requested(&pod).cpu, 500);
    }

    #[test]
    fn overhead_and_the_request_of_the_whole_pod_count() {
        let mut pod = pod("a").cpu("500m").build();
        let spec = pod.spec.as_mut().expect("a spec");
        spec.overhead = Some([("memory".to_owned(), Text("1Mi".into()))].into());
        let whole = Some([("cpu".to_owned(), Text("2".into()))].into());
        spec.resources = Some(nakhoda_api::kinds::core::ResourceRequirements { requests: whole, ..Default::default() });
        let requested = Resources::requested(&pod);
        assert_eq!((requested.cpu, requested.memory), (2000, 1 << 20));
    }

    #[test]
    fn a_pod_without_requests_is_not_free_when_scored() {
        let pod = pod("a").build();
        assert!(Resources::requested(&pod).is_zero());
        assert_eq!(Resources::scored(&pod), [DEFAULT_CPU, DEFAULT_MEMORY]);
    }

    #[test]
    fn a_pod_that_changes_its_size_counts_at_its_largest() {
        let mut pod = pod("a").cpu("500m").build();
        let name = &pod.spec.as_ref().expect("a spec").containers[0].name;
        let told = serde_json::json!({"containerStatuses": [{"name": name, "image": "", "imageID": "", "ready": true,
            "restartCount": 0, "allocatedResources": {"cpu": "700m"}, "resources": {"requests": {"cpu": "600m"}}}]});
        pod.status = Some(serde_json::from_value(told).expect("a status"));
        assert_eq!(Resources::requested(&pod).cpu, 700);
    }
}
