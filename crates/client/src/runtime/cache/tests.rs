use nakhoda_api::kinds::core::Pod;
use nakhoda_api::kinds::meta::ObjectMeta;

use super::*;

fn pod(namespace: &str, name: &str, node: &str, revision: u32) -> Pod {
    let mut pod = Pod {
        metadata: ObjectMeta {
            namespace: Some(namespace.into()),
            name: Some(name.into()),
            resource_version: Some(revision.to_string()),
            ..ObjectMeta::default()
        },
        ..Pod::default()
    };
    pod.spec.get_or_insert_default().node_name = Some(node.into());
    pod
}

fn by_node(pod: &Pod) -> Vec<String> {
    pod.spec.iter().filter_map(|s| s.node_name.clone()).collect()
}

fn names(objects: &[Arc<Pod>]) -> Vec<&str> {
    objects.iter().map(|p| p.name()).collect()
}

#[test]
fn indices_follow_what_changes() {
    let mut cache = Cache::default();
    cache.apply(Event::Applied(pod("a", "x", "n1", 1)));
    cache.add_index("node", by_node);
    cache.apply(Event::Applied(pod("a", "y", "n1", 2)));
    cache.apply(Event::Applied(pod("a", "x", "n2", 3)));
    assert_eq!(names(&cache.by_index("node", "n1")), ["y"]);
    assert_eq!(names(&cache.by_index("node", "n2")), ["x"]);
    cache.apply(Event::Deleted(pod("a", "x", "n2", 4)));
    assert!(cache.by_index("node", "n2").is_empty());
    assert!(cache.by_index("none", "n1").is_empty());
}

#[test]
fn a_new_state_tells_exactly_the_difference() {
    let mut cache = Cache::default();
    cache.apply(Event::Replaced(vec![pod("a", "x", "", 1), pod("a", "y", "", 2), pod("b", "z", "", 3)]));
    let changes = cache.apply(Event::Replaced(vec![pod("a", "y", "", 2), pod("b", "z", "", 5), pod("b", "w", "", 4)]));
    let told: Vec<_> = changes
        .iter()
        .map(|change| match change {
            Change::Added(p) => format!("+{}", p.name()),
            Change::Updated { old, new } => format!(
                "{}:{}->{}",
                new.name(),
                old.metadata.resource_version.as_deref().unwrap_or(""),
                new.metadata.resource_version.as_deref().unwrap_or("")
            ),
            Change::Deleted(p) => format!("-{}", p.name()),
        })
        .collect();
    assert_eq!(told, ["-x", "z:3->5", "+w"]);
    assert_eq!(names(&cache.in_namespace("b")), ["w", "z"]);
}
