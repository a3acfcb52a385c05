//! What the runtime says about one pod, in the shape that deciding needs.

use std::collections::HashMap;

use futures::stream::{FuturesUnordered, TryStreamExt};

use crate::cri::{Cri, Error, v1};
use crate::labels;

/// One sandbox.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sandbox {
    /// Its id.
    pub id: String,
    /// Which attempt for this pod.
    pub attempt: u32,
    /// Whether it runs.
    pub ready: bool,
    /// Its addresses.
    pub ips: Vec<String>,
}

/// One container, with the sandbox it belongs to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Seen {
    /// Which sandbox.
    pub sandbox: String,
    /// All else.
    pub status: v1::ContainerStatus,
}

/// Everything of one pod, newest first.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Observed {
    /// Sandboxes.
    pub sandboxes: Vec<Sandbox>,
    containers: HashMap<String, Vec<Seen>>,
}

// === impl Seen ===

impl Seen {
    /// Whether it runs.
    #[must_use]
    pub fn is_running(&self) -> bool {
        self.status.state() == v1::ContainerState::ContainerRunning
    }

    /// Whether it has ended.
    #[must_use]
    pub fn is_exited(&self) -> bool {
        self.status.state() == v1::ContainerState::ContainerExited
    }
}

// === impl Observed ===

impl Observed {
    /// Orders what was seen.
    #[must_use]
    pub fn new(mut sandboxes: Vec<Sandbox>, seen: Vec<Seen>) -> Self {
        sandboxes.sort_by_key(|s| std::cmp::Reverse(s.attempt));
        let mut containers: HashMap<String, Vec<Seen>> = HashMap::new();
        for one in seen {
            let name = one.status.metadata.as_ref().map(|m| m.name.clone()).unwrap_or_default();
            containers.entry(name).or_default().push(one);
        }
        for list in containers.values_mut() {
            list.sort_by_key(|one| {
                std::cmp::Reverse((one.status.metadata.as_ref().map_or(0, |m| m.attempt), one.status.created_at))
            });
        }
        Self { sandboxes, containers }
    }

    /// Asks the runtime.
    pub async fn ask(cri: &Cri, uid: &str) -> Result<Self, Error> {
        let (sandboxes, containers) =
            futures::try_join!(cri.sandboxes(labels::selector(uid)), cri.containers(labels::selector(uid)))?;
        let mut known = Vec::with_capacity(sandboxes.len());
        for sandbox in sandboxes {
            let ready = sandbox.state() == v1::PodSandboxState::SandboxReady;
            let network = match ready {
                true => cri.sandbox_status(&sandbox.id).await?.and_then(|s| s.network),
                false => None,
            };
            let ips = network.map(ips).unwrap_or_default();
            let attempt = sandbox.metadata.map_or(0, |m| m.attempt);
            known.push(Sandbox { id: sandbox.id, attempt, ready, ips });
        }
        let details: FuturesUnordered<_> = containers
            .into_iter()
            .map(|c| async move {
                let status = cri.container_status(&c.id).await?;
                Ok::<_, Error>(status.map(|status| Seen { sandbox: c.pod_sandbox_id, status }))
            })
            .collect();
        let seen: Vec<Option<Seen>> = details.try_collect().await?;
        Ok(Self::new(known, seen.into_iter().flatten().collect()))
    }

    /// The newest sandbox, if it runs.
    #[must_use]
    pub fn sandbox(&self) -> Option<&Sandbox> {
        self.sandboxes.first().filter(|s| s.ready)
    }

    /// The newest container of a name.
    #[must_use]
    pub fn newest(&self, name: &str) -> Option<&Seen> {
        self.all(name).first()
    }

    /// All containers of a name, newest first.
    #[must_use]
    pub fn all(&self, name: &str) -> &[Seen] {
        self.containers.get(name).map(Vec::as_slice).unwrap_or_default()
    }

    /// Every container.
    pub fn each(&self) -> impl Iterator<Item = &Seen> {
        self.containers.values().flatten()
    }

    /// Whether anything still runs.
    #[must_use]
    pub fn is_running(&self) -> bool {
        self.sandboxes.iter().any(|s| s.ready) || self.each().any(Seen::is_running)
    }
}

fn ips(network: v1::PodSandboxNetworkStatus) -> Vec<String> {
    std::iter::once(network.ip)
        .chain(network.additional_ips.into_iter().map(|ip| ip.ip))
        .filter(|ip| !ip.is_empty())
        .collect()
}
