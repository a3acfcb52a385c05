//! For whom a kubelet may ask tokens of its pods' accounts: for whom a volume of the pod wants one, or for whom the
//! node was given a right of its own (`request-serviceaccounts-token-audience`).
//!
//! Absent: volumes of removed in-tree drivers that upstream reads as their CSI successors'.

use nakhoda_api::kinds::core::{PersistentVolume, PersistentVolumeClaim, Pod, Volume};
use nakhoda_api::kinds::storage::CSIDriver;
use nakhoda_api::{GroupVersionResource, Object};
use serde_json::Value;

use super::super::Attributes;
use crate::authz;
use crate::request::{ResourceTarget, Target};

const VERB: &str = "request-serviceaccounts-token-audience";

pub(super) fn check(attributes: &Attributes<'_>, request: &Object, pod: &Pod) -> Result<(), String> {
    let asked = request.at(&["spec", "audiences"]).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let audience = match asked {
        [] => "",
        [one] => one.as_str().unwrap_or_default(),
        _ => return Err("node may only request 0 or 1 audiences".into()),
    };
    let wanted = wanted(attributes, pod, audience);
    if wanted.map_err(|why| format!("error validating audience {audience:?}: {why}"))? || may(attributes, audience) {
        return Ok(());
    }
    let user = &attributes.call.user.name;
    Err(format!(
        "audience {audience:?} not found in pod spec volume, {user} is not authorized to request tokens for this audience"
    ))
}

fn may(attributes: &Attributes<'_>, audience: &str) -> bool {
    let call = attributes.call;
    let target = ResourceTarget {
        gvr: GroupVersionResource::new("", "v1", audience),
        namespace: call.namespace().into(),
        name: call.target.name.clone(),
        ..ResourceTarget::default()
    };
    let question = authz::Attributes::new(call.user.clone(), VERB, Target::Resource(target));
    call.pipeline.decide(&question).is_allowed()
}

/// Whether a volume wants it. What cannot be looked up is a fault only if no other volume does.
fn wanted(attributes: &Attributes<'_>, pod: &Pod, audience: &str) -> Result<bool, String> {
    let mut faults = Vec::new();
    for volume in pod.spec.iter().flat_map(|spec| spec.volumes.iter().flatten()) {
        if projects(volume, audience) {
            return Ok(true);
        }
        match driver(attributes, pod, volume).and_then(|name| is_drivers(attributes, name.as_deref(), audience)) {
            Ok(true) => return Ok(true),
            Ok(false) => {}
            Err(why) => faults.push(why),
        }
    }
    match faults.as_slice() {
        [] => Ok(false),
        [one] => Err(one.clone()),
        several => Err(format!("[{}]", several.join(", "))),
    }
}

fn projects(volume: &Volume, audience: &str) -> bool {
    let sources = volume.projected.iter().flat_map(|projected| projected.sources.iter().flatten());
    let mut tokens = sources.filter_map(|source| source.service_account_token.as_ref());
    tokens.any(|token| token.audience.as_deref().unwrap_or_default() == audience)
}

/// The CSI driver behind a volume.
fn driver(attributes: &Attributes<'_>, pod: &Pod, volume: &Volume) -> Result<Option<String>, String> {
    if volume.ephemeral.as_ref().is_some_and(|ephemeral| ephemeral.volume_claim_template.is_some()) {
        let claim = format!("{}-{}", pod.metadata.name.as_deref().unwrap_or_default(), volume.name);
        return driver_of_claim(attributes, &claim);
    }
    if let Some(claim) = &volume.persistent_volume_claim {
        return driver_of_claim(attributes, &claim.claim_name);
    }
    Ok(volume.csi.as_ref().map(|csi| csi.driver.clone()))
}

fn driver_of_claim(attributes: &Attributes<'_>, name: &str) -> Result<Option<String>, String> {
    let storage = attributes.call.pipeline.storage();
    let claim = storage.get::<PersistentVolumeClaim>(attributes.call.namespace(), name);
    let claim = claim.ok_or_else(|| format!("persistentvolumeclaim {name:?} not found"))?;
    let volume = claim.spec.and_then(|spec| spec.volume_name).unwrap_or_default();
    let found = storage.get::<PersistentVolume>("", &volume);
    let found = found.ok_or_else(|| format!("persistentvolume {volume:?} not found"))?;
    Ok(found.spec.and_then(|spec| spec.csi).map(|csi| csi.driver))
}

fn is_drivers(attributes: &Attributes<'_>, driver: Option<&str>, audience: &str) -> Result<bool, String> {
    let Some(name) = driver.filter(|name| !name.is_empty()) else { return Ok(false) };
    let found = attributes.call.pipeline.storage().get::<CSIDriver>("", name);
    let found = found.ok_or_else(|| format!("csidriver.storage.k8s.io {name:?} not found"))?;
    Ok(found.spec.token_requests.iter().flatten().any(|request| request.audience == audience))
}
