//! What lies in etcd and what the server reads of it: values may be encrypted, and those that an upstream server
//! wrote are protobuf, perhaps of an older version of their kind. What is read is JSON of the version in which the kind
//! is stored now; whatever lies there otherwise is stale, and stored anew by the next write of the object.
//!
//! An older version is read by the field numbers of the newer one, which versions of a kind share. Those that
//! do not are told apart by name and refused ([`RESHAPED`]).

use std::collections::HashMap;
use std::sync::Arc;

use bytes::Bytes;
use nakhoda_api::wire;
use nakhoda_api::{GroupResource, GroupVersionKind, Object, schema};
use nakhoda_store::{Error, Reading, Transform};

use super::ROOT;
use crate::encryption::Encryption;
use crate::kind::Served;
use crate::kinds::Kinds;

mod definition;

/// What protobuf values begin with.
const PROTOBUF: &[u8] = b"k8s\0";

/// Versions that have other fields under the same numbers than the kind has now.
const RESHAPED: [(&str, &str); 10] = [
    ("extensions/v1beta1", "Ingress"),
    ("networking.k8s.io/v1beta1", "Ingress"),
    ("discovery.k8s.io/v1beta1", "EndpointSlice"),
    ("autoscaling/v1", "HorizontalPodAutoscaler"),
    ("autoscaling/v2beta1", "HorizontalPodAutoscaler"),
    ("node.k8s.io/v1alpha1", "RuntimeClass"),
    ("resource.k8s.io/v1beta1", "ResourceClaim"),
    ("resource.k8s.io/v1beta1", "ResourceClaimTemplate"),
    ("resource.k8s.io/v1beta1", "ResourceSlice"),
    ("resource.k8s.io/v1beta1", "DeviceClass"),
];

/// Reads and makes stored values.
pub struct Stored {
    encryption: Encryption,
    places: HashMap<&'static str, Place>,
}

/// What lies under a prefix.
struct Place {
    resource: GroupResource,
    kind: Arc<Served>,
}

// === impl Stored ===

impl Stored {
    /// By these keys.
    #[must_use]
    pub fn new(encryption: Encryption) -> Self {
        let mut places = HashMap::new();
        for kind in Kinds::built_in().all() {
            let info = &kind.info;
            if !info.virtual_ && !kind.strategy.converted() {
                let resource = GroupResource { group: info.gvk.group.clone(), resource: info.plural.into() };
                places.entry(info.storage).or_insert_with(|| Place { resource, kind: kind.clone() });
            }
        }
        Self { encryption, places }
    }

    /// The resource that a key belongs to, and its kind if that is built in. Custom resources lie under group and plural.
    fn place(&self, key: &[u8]) -> Option<(GroupResource, Option<&Served>)> {
        let path = std::str::from_utf8(key).ok()?.strip_prefix(ROOT)?;
        let (first, rest) = path.split_once('/')?;
        let second = rest.split('/').next().unwrap_or_default();
        let both = &path[..first.len() + 1 + second.len()];
        if let Some(place) = self.places.get(first).or_else(|| self.places.get(both)) {
            return Some((place.resource.clone(), Some(&place.kind)));
        }
        first.contains('.').then(|| (GroupResource { group: first.into(), resource: second.into() }, None))
    }

    fn read(&self, key: &[u8], stored: Bytes) -> Result<(Bytes, bool), Arc<str>> {
        let Some((resource, kind)) = self.place(key) else { return Ok((stored, false)) };
        let opened = self.encryption.open(&resource, key, stored);
        let (value, stale) = opened.map_err(|why| Arc::from(why.to_string()))?;
        let Some(kind) = kind else { return Ok((value, stale)) };
        match older(&value, kind).map_err(|why| Arc::from(format!("{}: {why}", key.escape_ascii())))? {
            Some(object) => Ok((object.to_json().into(), true)),
            None => Ok((value, stale)),
        }
    }
}

impl Transform for Stored {
    fn seal(&self, key: &[u8], value: &Bytes) -> Result<Bytes, Error> {
        let Some((resource, _)) = self.place(key) else { return Ok(value.clone()) };
        self.encryption.seal(&resource, key, value).map_err(|fault| Error::corrupt(fault.to_string()))
    }

    fn open(&self, key: &[u8], stored: Bytes) -> (Bytes, Reading) {
        match self.read(key, stored.clone()) {
            Ok((value, false)) => (value, Reading::Current),
            Ok((value, true)) => (value, Reading::Stale),
            Err(why) => (stored, Reading::Unreadable(why)),
        }
    }
}

/// The object of a value that is stored otherwise than this kind is now; none if it is stored so.
/// What its writer did not know is filled in, as upstream does when it reads.
fn older(value: &[u8], kind: &Served) -> Result<Option<Object>, String> {
    let gvk = &kind.info.gvk;
    let (mut object, stored_as) = if value.starts_with(PROTOBUF) {
        wire::decode_as(value, gvk).map_err(|error| error.to_string())?
    } else if is_of_another_version(value, gvk) {
        let object = Object::from_json(value).map_err(|error| error.to_string())?;
        let stored_as = object.gvk().unwrap_or_default();
        (object, stored_as)
    } else {
        return Ok(None);
    };
    let version = stored_as.api_version();
    if RESHAPED.contains(&(&*version, &*stored_as.kind)) && stored_as != *gvk {
        return Err(format!("{version} {} cannot be read as {}", stored_as.kind, gvk.api_version()));
    }
    if (&*version, &*stored_as.kind) == ("apiextensions.k8s.io/v1beta1", "CustomResourceDefinition") {
        definition::convert(object.root_mut());
    }
    object.set_gvk(gvk);
    kind.strategy.default(&mut object).map_err(|status| status.message)?;
    schema::normalise(&mut object);
    Ok(Some(object))
}

/// Whether JSON says that it is of another version. Both servers write `kind` and `apiVersion` first.
fn is_of_another_version(json: &[u8], gvk: &GroupVersionKind) -> bool {
    const NAME: &[u8] = br#""apiVersion":""#;
    let head = &json[..json.len().min(256)];
    let Some(at) = head.windows(NAME.len()).position(|window| window == NAME) else { return false };
    let rest = &head[at + NAME.len()..];
    let (version, group) = (gvk.version.as_bytes(), gvk.group.as_bytes());
    let said =
        if group.is_empty() { Some(rest) } else { rest.strip_prefix(group).and_then(|rest| rest.strip_prefix(b"/")) };
    said.and_then(|said| said.strip_prefix(version)).is_none_or(|rest| !rest.starts_with(b"\""))
}

#[cfg(test)]
mod tests;
