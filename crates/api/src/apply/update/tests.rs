use serde_json::json;

use super::*;
use crate::GroupVersionKind;
use crate::apply::{Operation, check};

const NOW: &str = "2026-01-01T00:00:00Z";

struct Nothing;

impl Versions for Nothing {
    fn convert<'v>(&self, _: &'v Value, _: &str) -> Option<(Cow<'v, Value>, Schema)> {
        None
    }
}

fn owner(name: &str, operation: Operation) -> Owner {
    Owner { name: name.into(), operation, version: "apps/v1".into(), subresource: String::new() }
}

/// A Deployment and those who write to it.
struct World {
    schema: Schema,
    object: Value,
    managers: Managers,
}

impl World {
    fn new() -> Self {
        let schema = Schema::of(&GroupVersionKind::new("apps", "v1", "Deployment")).expect("a known kind");
        Self { schema, object: json!({"metadata": {"name": "d"}, "spec": {}}), managers: Managers::default() }
    }

    fn writer(&self) -> Writer<'_> {
        Writer { version: "apps/v1", schema: &self.schema, filter: &Filter::All, versions: &Nothing }
    }

    fn apply(&mut self, name: &str, force: bool, spec: Value) -> Result<(), Vec<String>> {
        let configuration =
            json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "d"}, "spec": spec});
        check(self.schema.root(), &configuration).expect("fits");
        let owner = owner(name, Operation::Apply);
        let managers = self.managers.clone();
        match self.writer().apply(&self.object, &configuration, managers, &owner, force, NOW) {
            Ok(applied) => {
                self.object = applied.object.unwrap_or_else(|| self.object.clone());
                self.managers = applied.managers;
                Ok(())
            }
            Err(conflicts) => Err(conflicts.iter().map(|c| format!("{} {}", c.owner.name, c.place())).collect()),
        }
    }

    fn update(&mut self, name: &str, change: impl FnOnce(&mut Value)) {
        let mut new = self.object.clone();
        change(&mut new["spec"]);
        let managers = self.managers.clone();
        self.managers = self.writer().update(&self.object, &new, managers, &owner(name, Operation::Update), NOW);
        self.object = new;
    }

    fn owned(&self, name: &str) -> Vec<String> {
        let managers = self.managers.iter().filter(|manager| manager.owner.name == name);
        managers.flat_map(|m| m.set.paths()).map(|path| path.iter().map(ToString::to_string).collect()).collect()
    }
}

#[test]
fn who_applies_owns_what_it_says_and_loses_what_it_leaves_out() {
    let mut world = World::new();
    world.apply("a", false, json!({"replicas": 3, "paused": true})).expect("applies");
    assert_eq!(world.owned("a"), [".spec.paused", ".spec.replicas"]);
    world.apply("a", false, json!({"replicas": 3})).expect("applies");
    assert_eq!(world.object["spec"], json!({"replicas": 3}));
    assert_eq!(world.owned("a"), [".spec.replicas"]);
}

#[test]
fn a_field_of_another_is_a_conflict_unless_it_is_the_same_or_forced() {
    let mut world = World::new();
    world.apply("a", false, json!({"replicas": 3})).expect("applies");
    world.apply("b", false, json!({"replicas": 3})).expect("shares");
    assert_eq!(
        world.apply("c", false, json!({"replicas": 4})),
        Err(vec!["a .spec.replicas".into(), "b .spec.replicas".into()])
    );
    assert_eq!(world.object["spec"]["replicas"], 3);
    world.apply("c", true, json!({"replicas": 4})).expect("is forced");
    assert_eq!((world.owned("a"), world.owned("b")), (vec![], vec![]));
    assert_eq!(world.owned("c"), [".spec.replicas"]);
}

#[test]
fn what_others_own_stays_when_its_first_owner_lets_go() {
    let mut world = World::new();
    world.apply("a", false, json!({"replicas": 3})).expect("applies");
    world.apply("b", false, json!({"replicas": 3})).expect("shares");
    world.apply("a", false, json!({})).expect("applies");
    assert_eq!(world.object["spec"]["replicas"], 3);
    world.apply("b", false, json!({})).expect("applies");
    assert_eq!(world.object["spec"].get("replicas"), None);
}

#[test]
fn an_update_takes_what_it_changes_and_forgets_what_it_removes() {
    let mut world = World::new();
    world.apply("a", false, json!({"replicas": 3, "paused": true, "minReadySeconds": 1})).expect("applies");
    world.update("u", |spec| {
        spec["replicas"] = json!(5);
        spec.as_object_mut().expect("a map").remove("paused");
    });
    assert_eq!(world.owned("a"), [".spec.minReadySeconds"]);
    assert_eq!(world.owned("u"), [".spec.replicas"]);
    assert_eq!(world.apply("a", false, json!({"replicas": 3})), Err(vec!["u .spec.replicas".into()]));
}

#[test]
fn items_of_lists_with_keys_merge_and_go_one_by_one() {
    let containers = |items: Value| json!({"template": {"spec": {"containers": items}}});
    let mut world = World::new();
    world
        .apply("a", false, containers(json!([{"name": "x", "image": "1"}, {"name": "y", "image": "1"}])))
        .expect("applies");
    world
        .apply("b", false, containers(json!([{"name": "z", "image": "1"}, {"name": "x", "tty": true}])))
        .expect("applies");
    let x = json!({"name": "x", "image": "1", "tty": true});
    let z = json!({"name": "z", "image": "1"});
    let y = json!({"name": "y", "image": "1"});
    assert_eq!(world.object["spec"]["template"]["spec"]["containers"], json!([z, x, y]));
    world.apply("a", false, containers(json!([{"name": "y", "image": "1"}]))).expect("applies");
    let x = json!({"name": "x", "tty": true});
    assert_eq!(world.object["spec"]["template"]["spec"]["containers"], json!([z, x, y]));
}

#[test]
fn ports_without_a_protocol_are_those_of_tcp() {
    let ports = |items: Value| json!({"template": {"spec": {"containers": [{"name": "x", "ports": items}]}}});
    let mut world = World::new();
    world.apply("a", false, ports(json!([{"containerPort": 80}]))).expect("applies");
    assert!(world.owned("a").contains(
        &".spec.template.spec.containers[name=\"x\"].ports[containerPort=80,protocol=\"TCP\"].containerPort".to_owned()
    ));
    let twice = ports(json!([{"containerPort": 80}, {"containerPort": 80, "protocol": "TCP"}]));
    let fault = check(world.schema.root(), &json!({"spec": twice})).expect_err("stands twice").to_string();
    assert_eq!(
        fault,
        ".spec.template.spec.containers[name=\"x\"].ports: duplicate entries for key [containerPort=80,protocol=\"TCP\"]"
    );
}

#[test]
fn an_apply_that_changes_nothing_keeps_its_time() {
    let mut world = World::new();
    world.apply("a", false, json!({"replicas": 3})).expect("applies");
    let again =
        json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "d"}, "spec": {"replicas": 3}});
    let owner = owner("a", Operation::Apply);
    // whoever applies says what it is, and so does the object then
    world.object["apiVersion"] = json!("apps/v1");
    world.object["kind"] = json!("Deployment");
    let applied =
        world.writer().apply(&world.object, &again, world.managers.clone(), &owner, false, "later").expect("applies");
    assert_eq!((applied.object, applied.managers), (None, world.managers));
}

#[test]
fn what_a_request_cannot_change_it_does_not_own() {
    let world = World::new();
    let filter = Filter::Outside(Set::of_fields(&[&["status"]]));
    let writer = Writer { version: "apps/v1", schema: &world.schema, filter: &filter, versions: &Nothing };
    let new = json!({"metadata": {"name": "d", "uid": "u"}, "spec": {"replicas": 1}, "status": {"replicas": 1}});
    let managers = writer.update(&world.object, &new, Managers::default(), &owner("u", Operation::Update), NOW);
    let written = managers.encode().expect("something");
    assert_eq!(written[0]["fieldsV1"], json!({"f:spec": {"f:replicas": {}}}));
}

#[test]
fn unknown_fields_and_wrong_values_are_told() {
    let world = World::new();
    let fault = |spec: Value| check(world.schema.root(), &json!({"spec": spec})).expect_err("does not fit").to_string();
    assert_eq!(fault(json!({"foo": 1})), ".spec.foo: field not declared in schema");
    assert_eq!(fault(json!({"replicas": "x"})), ".spec.replicas: expected numeric (int or float), got string");
    assert_eq!(
        fault(json!({"replicas": true, "paused": 1})),
        "errors:\n  .spec.replicas: expected numeric (int or float), got bool\n  .spec.paused: expected boolean, got &{1}"
    );
}
