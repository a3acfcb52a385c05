//! OpenAPI documents of what is served, each made when first asked for and kept until the kinds change.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use nakhoda_api::openapi::{self, ResourceInfo, SubresourceInfo};
use nakhoda_api::{GroupVersion, GroupVersionKind};
use parking_lot::Mutex;
use sha2::Digest;

use crate::kind::Served;
use crate::kinds::{Kinds, State};
use crate::render::list::list_of;

/// The documents of the kinds as they are. Cheap to clone.
#[derive(Clone, Default)]
pub struct Documents {
    current: Arc<Mutex<Option<Current>>>,
}

/// Documents, and the state that they tell of.
type Current = (State, Arc<Set>);

/// The documents of one state of the kinds.
pub struct Set {
    resources: Vec<ResourceInfo>,
    versions: BTreeMap<String, Version>,
    v2: OnceLock<Document>,
    v2_protobuf: OnceLock<Document>,
}

struct Version {
    version: GroupVersion,
    hash: String,
    document: OnceLock<Document>,
}

/// One document. It is kept compressed, as nearly all clients take it.
#[derive(Clone)]
pub struct Document {
    /// Compressed.
    pub gzip: Bytes,
    /// A hash of it.
    pub hash: String,
}

// === impl Documents ===

impl Documents {
    /// The documents of these kinds.
    #[must_use]
    pub fn of(&self, kinds: &Kinds) -> Arc<Set> {
        let state = kinds.state();
        let mut current = self.current.lock();
        match &*current {
            Some((known, set)) if *known == state => set.clone(),
            _ => {
                let resources = kinds.all().iter().map(|served| resource(served)).collect();
                current.insert((state, Arc::new(Set::new(resources)))).1.clone()
            }
        }
    }
}

// === impl Set ===

impl Set {
    fn new(resources: Vec<ResourceInfo>) -> Self {
        let mut versions = BTreeMap::new();
        for resource in &resources {
            let version = resource.gvk.group_version();
            let path = if version.group.is_empty() { format!("api/{version}") } else { format!("apis/{version}") };
            versions.entry(path).or_insert_with(|| Version {
                hash: hash(format!("{:?}", of_version(&resources, &version)).as_bytes()),
                version,
                document: OnceLock::new(),
            });
        }
        Self { resources, versions, v2: OnceLock::new(), v2_protobuf: OnceLock::new() }
    }

    /// Paths like `apis/apps/v1` with a hash of what their document tells.
    pub fn versions(&self) -> impl Iterator<Item = (&str, &str)> {
        self.versions.iter().map(|(path, version)| (path.as_str(), version.hash.as_str()))
    }

    /// The v3 document of a path. Making it takes a while.
    #[must_use]
    pub fn v3(&self, path: &str) -> Option<Document> {
        let version = self.versions.get(path)?;
        let make = || Document::new(openapi::v3(&version.version, &self.resources).to_string().as_bytes());
        Some(version.document.get_or_init(make).clone())
    }

    /// The v2 document. Making it takes a while.
    #[must_use]
    pub fn v2(&self, protobuf: bool) -> Document {
        let document = if protobuf {
            self.v2_protobuf.get_or_init(|| Document::new(&openapi::v2_protobuf(&self.resources)))
        } else {
            self.v2.get_or_init(|| Document::new(openapi::v2(&self.resources).to_string().as_bytes()))
        };
        document.clone()
    }
}

// === impl Document ===

impl Document {
    fn new(plain: &[u8]) -> Self {
        let mut encoder = GzEncoder::new(Vec::with_capacity(plain.len() / 8), Compression::default());
        let packed = encoder.write_all(plain).and_then(|()| encoder.finish());
        let gzip = packed.expect("writing to memory does not fail").into();
        Self { hash: hash(plain), gzip }
    }

    /// As it is.
    #[must_use]
    pub fn plain(&self) -> Bytes {
        let mut plain = Vec::with_capacity(self.gzip.len() * 8);
        GzDecoder::new(&*self.gzip).read_to_end(&mut plain).expect("it was compressed by us");
        plain.into()
    }
}

fn hash(bytes: &[u8]) -> String {
    sha2::Sha256::digest(bytes).iter().map(|byte| format!("{byte:02X}")).collect()
}

fn of_version<'a>(resources: &'a [ResourceInfo], version: &GroupVersion) -> Vec<&'a ResourceInfo> {
    resources.iter().filter(|r| r.gvk.group_version() == *version).collect()
}

fn resource(served: &Served) -> ResourceInfo {
    let info = &served.info;
    let words = |verbs: &[&str]| verbs.iter().map(|v| (*v).to_owned()).collect();
    let subresources = info.subresources.iter().map(|sub| SubresourceInfo {
        name: sub.name.into(),
        gvk: sub.kind.map_or_else(|| info.gvk.clone(), |(g, v, k)| GroupVersionKind::new(g, v, k)),
        verbs: words(sub.verbs),
    });
    ResourceInfo {
        gvk: info.gvk.clone(),
        plural: info.plural.into(),
        list_kind: list_of(info).kind,
        scope: info.scope,
        verbs: words(info.verbs),
        subresources: subresources.collect(),
        schema: served.strategy.schema().cloned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_are_kept_while_the_kinds_stay_the_same() {
        let (documents, kinds) = (Documents::default(), Kinds::built_in());
        let first = documents.of(&kinds);
        assert!(Arc::ptr_eq(&first, &documents.of(&kinds)));
        assert!(!Arc::ptr_eq(&first, &documents.of(&Kinds::default())));
    }

    #[test]
    fn every_group_and_version_has_a_document() {
        let set = Documents::default().of(&Kinds::built_in());
        let paths: Vec<_> = set.versions().map(|(path, _)| path).collect();
        assert!(paths.contains(&"api/v1") && paths.contains(&"apis/apps/v1"));
        let document = set.v3("api/v1").expect("served");
        assert!(document.plain().starts_with(b"{\"openapi\":\"3.0.0\""));
        assert!(set.v3("apis/novel/v1").is_none());
    }
}
