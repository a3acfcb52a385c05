//! Which objects a workload manages: those that it owns and selects stay, unowned ones that it selects
//! are adopted, owned ones that it no longer selects are let go.

use std::collections::BTreeMap;
use std::sync::Arc;

use nakhoda_client::{Client, Key, Patch, Resource, Result, owner};
use serde_json::json;

/// What to do with each candidate.
#[derive(Debug, PartialEq)]
pub struct Claims<K> {
    /// Managed already.
    pub owned: Vec<Arc<K>>,
    /// To be adopted.
    pub adopt: Vec<Arc<K>>,
    /// To be let go.
    pub release: Vec<Arc<K>>,
    /// What managed objects carry in `finalizers`; given at adoption and taken at release.
    pub finalizer: Option<&'static str>,
}

// === impl Claims ===

impl<K: Resource> Claims<K> {
    /// Sorts candidates. `selects` judges their labels.
    pub fn plan<O: Resource>(
        owner: &O,
        candidates: impl IntoIterator<Item = Arc<K>>,
        selects: impl Fn(Option<&BTreeMap<String, String>>) -> bool,
    ) -> Self {
        let mut claims = Self { owned: Vec::new(), adopt: Vec::new(), release: Vec::new(), finalizer: None };
        for candidate in candidates {
            let matches = selects(candidate.metadata().labels.as_ref());
            let mine = candidate.controller().map(|o| o.uid == owner.uid());
            match (mine, matches) {
                (Some(true), true) => claims.owned.push(candidate),
                (Some(true), false) if !owner.is_terminating() => claims.release.push(candidate),
                (None, true) if !owner.is_terminating() && !candidate.is_terminating() => claims.adopt.push(candidate),
                _ => {}
            }
        }
        claims
    }

    /// Writes the adoptions and releases; what is managed then. An object that is gone or that somebody
    /// else took first is skipped. Before adopting, the owner is read live: a cache may show one that
    /// was deleted and made again.
    pub async fn execute<O: Resource>(self, client: &Client, controller: &O) -> Result<Vec<Arc<K>>> {
        let mut owned = self.owned;
        if !self.adopt.is_empty() && is_alive(client, controller).await? {
            for candidate in self.adopt {
                let mut owners = candidate.metadata().owner_references.clone().unwrap_or_default();
                owners.push(owner(controller));
                let finalizers = self.finalizer.map(|f| finalizers(&*candidate, f).chain([f.to_owned()]).collect());
                owned.extend(write(client, &*candidate, &owners, finalizers).await?.map(Arc::new));
            }
        }
        for candidate in self.release {
            let mut owners = candidate.metadata().owner_references.clone().unwrap_or_default();
            owners.retain(|o| o.uid != controller.uid());
            let finalizers = self.finalizer.map(|f| finalizers(&*candidate, f).collect());
            write(client, &*candidate, &owners, finalizers).await?;
        }
        Ok(owned)
    }
}

async fn is_alive<O: Resource>(client: &Client, owner: &O) -> Result<bool> {
    match client.namespaced::<O>(owner.namespace()).get(owner.name()).await {
        Ok(fresh) => Ok(fresh.uid() == owner.uid() && !fresh.is_terminating()),
        Err(error) if error.is_not_found() => Ok(false),
        Err(error) => Err(error),
    }
}

/// The finalizers of an object without one of them.
fn finalizers<K: Resource>(object: &K, without: &'static str) -> impl Iterator<Item = String> {
    object.metadata().finalizers.clone().unwrap_or_default().into_iter().filter(move |f| f != without)
}

async fn write<K: Resource>(
    client: &Client,
    object: &K,
    owners: &[nakhoda_api::kinds::meta::OwnerReference],
    finalizers: Option<Vec<String>>,
) -> Result<Option<K>> {
    let Key { namespace, name } = Key::of(object);
    let mut metadata = json!({
        "uid": object.uid(),
        "resourceVersion": object.metadata().resource_version,
        "ownerReferences": owners,
    });
    if let Some(finalizers) = finalizers {
        metadata["finalizers"] = finalizers.into();
    }
    let patch = Patch::merge(&json!({"metadata": metadata}));
    match client.namespaced::<K>(&namespace).patch(&name, &patch).await {
        Ok(object) => Ok(Some(object)),
        Err(error) if error.is_not_found() => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use nakhoda_api::kinds::apps::ReplicaSet;
    use nakhoda_api::kinds::core::Pod;
    use nakhoda_api::kinds::meta::{ObjectMeta, OwnerReference};

    fn set(uid: &str) -> ReplicaSet {
        ReplicaSet { metadata: ObjectMeta { uid: Some(uid.into()), ..ObjectMeta::default() }, ..ReplicaSet::default() }
    }

    fn pod(name: &str, label: &str, owner: Option<&str>) -> Arc<Pod> {
        let reference =
            |uid: &str| OwnerReference { uid: uid.into(), controller: Some(true), ..OwnerReference::default() };
        let metadata = ObjectMeta {
            name: Some(name.into()),
            labels: Some([("app".to_owned(), label.to_owned())].into()),
            owner_references: owner.map(|uid| vec![reference(uid)]),
            ..ObjectMeta::default()
        };
        Arc::new(Pod { metadata, ..Pod::default() })
    }

    #[test]
    fn a_workload_keeps_adopts_and_releases_by_label_and_owner() {
        let pods = [
            pod("mine", "a", Some("u1")),
            pod("strayed", "b", Some("u1")),
            pod("orphan", "a", None),
            pod("foreign", "a", Some("u2")),
            pod("other", "b", None),
        ];
        let claims = Claims::plan(&set("u1"), pods, |l| l.is_some_and(|l| l["app"] == "a"));
        let names = |v: &[Arc<Pod>]| v.iter().map(|p| p.name().to_owned()).collect::<Vec<_>>();
        assert_eq!(names(&claims.owned), ["mine"]);
        assert_eq!(names(&claims.adopt), ["orphan"]);
        assert_eq!(names(&claims.release), ["strayed"]);
    }
}
