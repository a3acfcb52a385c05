use super::*;
use crate::bootstrap::policy;
use crate::request::ResourceTarget;
use crate::user::User;
use nakhoda_api::GroupVersionResource;

fn asks(user: &str, groups: &[&str], verb: &str, what: &str) -> Attributes {
    let (resource, rest) = what.split_once(' ').unwrap_or((what, ""));
    let (resource, subresource) = resource.split_once('/').unwrap_or((resource, ""));
    let (namespace, name) = rest.split_once('/').unwrap_or(("", rest));
    let gvr = GroupVersionResource { group: String::new(), version: "v1".into(), resource: resource.into() };
    let target = ResourceTarget {
        gvr,
        namespace: namespace.into(),
        name: name.into(),
        subresource: subresource.into(),
        path: String::new(),
    };
    let user = User { name: user.into(), groups: groups.iter().map(|&g| g.into()).collect(), ..User::default() };
    Attributes::new(user, verb, Target::Resource(target))
}

fn bootstrapped() -> Rbac {
    let rbac = Rbac::default();
    rbac.change(|index| policy::built_in().into_iter().for_each(|object| policy::put(index, object)));
    rbac
}

#[test]
fn masters_may_do_everything() {
    let asked = asks("root", &["system:masters"], "delete", "nodes /a");
    assert!(matches!(bootstrapped().authorize(&asked), Decision::Allow(_)));
}

#[test]
fn a_stranger_may_nothing_but_look_at_the_version() {
    let rbac = bootstrapped();
    let strange = ["system:authenticated"];
    assert_eq!(rbac.authorize(&asks("x", &strange, "get", "pods a/b")), Decision::NoOpinion(String::new()));
    let mut version = asks("x", &strange, "get", "pods");
    version.target = Target::Path("/version".into());
    assert!(matches!(rbac.authorize(&version), Decision::Allow(_)));
}

#[test]
fn an_aggregated_role_has_the_rules_of_its_parts() {
    let rbac = bootstrapped();
    let binding = serde_json::json!({
        "metadata": {"namespace": "a", "name": "editors"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "edit"},
        "subjects": [{"kind": "ServiceAccount", "name": "bot"}],
    });
    rbac.change(|index| index.put_binding(serde_json::from_value(binding).expect("a binding")));
    let bot = "system:serviceaccount:a:bot";
    assert!(matches!(rbac.authorize(&asks(bot, &[], "create", "pods a/")), Decision::Allow(_)));
    assert!(matches!(rbac.authorize(&asks(bot, &[], "get", "pods/log a/x")), Decision::Allow(_)));
    assert!(matches!(rbac.authorize(&asks(bot, &[], "create", "pods b/")), Decision::NoOpinion(_)));
    rbac.change(|index| index.remove_binding("a", "editors"));
    assert!(matches!(rbac.authorize(&asks(bot, &[], "create", "pods a/")), Decision::NoOpinion(_)));
}
