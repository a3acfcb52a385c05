//! Owners in a circle: they stay while all are there, and all go once one is to go.

use nakhoda_api::kinds::core::ConfigMap;
use nakhoda_api::kinds::meta::DeleteOptions;
use nakhoda_client::{Patch, Resource, Selection};
use nakhoda_controller_manager::controllers::garbage;
use serde_json::{Value, json};

use crate::run::{Cast, Run, calmly, with_seeds};

fn cast() -> Cast {
    Cast { controllers: vec![garbage::start], nodes: 0, cores: 1 }
}

fn served() -> Value {
    let verbs = ["create", "delete", "get", "list", "patch", "update", "watch"];
    let entry =
        json!({"resource": "configmaps", "responseKind": {"kind": "ConfigMap"}, "scope": "Namespaced", "verbs": verbs});
    json!({"kind": "APIGroupDiscoveryList", "apiVersion": "apidiscovery.k8s.io/v2",
           "items": [{"metadata": {"name": ""}, "versions": [{"version": "v1", "resources": [entry]}]}]})
}

/// `a` owns `b`, that owns `c`, and that owns `a`.
async fn circle(run: &Run) {
    run.memory.serve(served());
    let api = run.client().namespaced::<ConfigMap>("default");
    let mut uids = Vec::new();
    for name in ["a", "b", "c"] {
        let map = json!({"metadata": {"name": name, "namespace": "default", "finalizers": ["foregroundDeletion"]}});
        uids.push(run.create::<ConfigMap>(&map).await.uid().to_owned());
    }
    for (name, owner, uid) in [("a", "c", &uids[2]), ("b", "a", &uids[0]), ("c", "b", &uids[1])] {
        let owner =
            json!({"apiVersion": "v1", "kind": "ConfigMap", "name": owner, "uid": uid, "blockOwnerDeletion": true});
        let patch = Patch::merge(&json!({"metadata": {"ownerReferences": [owner]}}));
        api.patch(name, &patch).await.expect("memory refuses nobody");
    }
}

async fn left(run: &Run) -> usize {
    let api = run.client().namespaced::<ConfigMap>("default");
    api.list(&Selection::default()).await.expect("memory refuses nobody").items.len()
}

#[test]
fn owners_in_a_circle_stay_and_nothing_is_written() {
    calmly(&cast(), |run| async move {
        circle(&run).await;
        run.rests().await;
        assert_eq!(left(&run).await, 3);
    });
}

#[test]
fn a_circle_goes_whole_when_one_of_it_is_deleted_before_its_dependents() {
    with_seeds(&cast(), |run| async move {
        circle(&run).await;
        run.seconds(60).await;
        let api = run.client().namespaced::<ConfigMap>("default");
        api.delete("a", &DeleteOptions::default()).await.expect("memory refuses nobody");
        while left(&run).await > 0 {
            run.second().await;
        }
    });
}
