//! What a pod refers to by name in its namespace.

use nakhoda_api::kinds::core::{Container, EphemeralContainer, Pod, PodSpec, Volume};

/// Which kind of object is referred to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum What {
    /// A Secret.
    Secret,
    /// A ConfigMap.
    ConfigMap,
    /// A ServiceAccount.
    Account,
    /// A PersistentVolumeClaim.
    Claim,
    /// A ResourceClaim.
    Device,
}

/// An object that is referred to.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Object {
    /// Of which kind.
    pub what: What,
    /// Where.
    pub namespace: String,
    /// Which.
    pub name: String,
}

// === impl What ===

impl What {
    /// The word for it in texts.
    #[must_use]
    pub const fn noun(self) -> &'static str {
        match self {
            Self::Secret => "secret",
            Self::ConfigMap => "configmap",
            Self::Account => "serviceaccount",
            Self::Claim => "persistentvolumeclaim",
            Self::Device => "resourceclaim",
        }
    }
}

/// Everything that a pod refers to, each once.
#[must_use]
pub fn references(namespace: &str, name: &str, pod: &Pod, spec: &PodSpec) -> Vec<Object> {
    let mut found: Vec<(What, String)> = Vec::new();
    found.extend(spec.service_account_name.iter().map(|n| (What::Account, n.clone())));
    found.extend(spec.image_pull_secrets.iter().flatten().map(|s| (What::Secret, s.name.clone())));
    for volume in spec.volumes.iter().flatten() {
        of_volume(name, volume, &mut found);
    }
    for container in spec.init_containers.iter().flatten().chain(&spec.containers) {
        of_container(container, &mut found);
    }
    for container in spec.ephemeral_containers.iter().flatten() {
        of_container(&as_container(container), &mut found);
    }
    of_devices(pod, spec, &mut found);
    let mut objects: Vec<Object> = found
        .into_iter()
        .filter(|(_, name)| !name.is_empty())
        .map(|(what, name)| Object { what, namespace: namespace.into(), name })
        .collect();
    objects.sort_by(|a, b| (a.what as u8, &a.name).cmp(&(b.what as u8, &b.name)));
    objects.dedup();
    objects
}

fn of_volume(pod: &str, volume: &Volume, found: &mut Vec<(What, String)>) {
    found.extend(volume.secret.iter().filter_map(|s| s.secret_name.clone()).map(|n| (What::Secret, n)));
    found.extend(volume.config_map.iter().map(|m| (What::ConfigMap, m.name.clone())));
    found.extend(volume.persistent_volume_claim.iter().map(|c| (What::Claim, c.claim_name.clone())));
    found.extend(volume.ephemeral.iter().map(|_| (What::Claim, format!("{pod}-{}", volume.name))));
    for source in volume.projected.iter().flat_map(|p| p.sources.iter().flatten()) {
        found.extend(source.secret.iter().map(|s| (What::Secret, s.name.clone())));
        found.extend(source.config_map.iter().map(|m| (What::ConfigMap, m.name.clone())));
    }
}

/// Claims that the pod names, and those that were made for it.
fn of_devices(pod: &Pod, spec: &PodSpec, found: &mut Vec<(What, String)>) {
    let named = spec.resource_claims.iter().flatten().filter_map(|claim| claim.resource_claim_name.clone());
    let status = pod.status.as_ref();
    let made = status.and_then(|status| status.resource_claim_statuses.as_ref()).into_iter().flatten();
    let extended = status.and_then(|status| status.extended_resource_claim_status.as_ref());
    let made = made.filter_map(|claim| claim.resource_claim_name.clone());
    found.extend(
        named.chain(made).chain(extended.map(|claim| claim.resource_claim_name.clone())).map(|n| (What::Device, n)),
    );
}

fn of_container(container: &Container, found: &mut Vec<(What, String)>) {
    for from in container.env_from.iter().flatten() {
        found.extend(from.secret_ref.iter().map(|s| (What::Secret, s.name.clone())));
        found.extend(from.config_map_ref.iter().map(|m| (What::ConfigMap, m.name.clone())));
    }
    for source in container.env.iter().flatten().filter_map(|e| e.value_from.as_ref()) {
        found.extend(source.secret_key_ref.iter().map(|s| (What::Secret, s.name.clone())));
        found.extend(source.config_map_key_ref.iter().map(|m| (What::ConfigMap, m.name.clone())));
    }
}

fn as_container(ephemeral: &EphemeralContainer) -> Container {
    Container { env: ephemeral.env.clone(), env_from: ephemeral.env_from.clone(), ..Container::default() }
}
