//! Get, create, update, patch and delete over [`State`].

use nakhoda_api::patch::PatchKind;
use nakhoda_api::{GroupResource, Object, Status};
use nakhoda_rpc::v1;
use nakhoda_rpc::v1::watch_event::Type;
use serde_json::{Value, json};

use super::select::Selector;
use super::{Place, State};
use crate::error::{Error, Result};
use crate::runtime::clock;
use crate::transport::Call;

/// How many seconds a pod is given to end.
const GRACE: i64 = 30;

pub(super) fn name(call: &Call) -> &'static str {
    match call {
        Call::Get(_) => "get",
        Call::Create(create) => match &create.target {
            Some(target) if is_binding(target) => "bind",
            _ => "create",
        },
        Call::Update(_) => "update",
        Call::Patch(_) => "patch",
        Call::Delete(_) => "delete",
        Call::DeleteCollection(_) => "deletecollection",
        Call::Discover(_) => "discover",
        Call::Read(_) => "read",
    }
}

pub(super) fn run(state: &mut State, call: Call) -> Result<Value> {
    match call {
        Call::Get(r) => state.stored(&r.target.unwrap_or_default()).cloned(),
        Call::Create(r) => {
            state.check(r.options.as_ref())?;
            state.create(&r.target.unwrap_or_default(), body(r.object)?)
        }
        Call::Update(r) => {
            state.check(r.options.as_ref())?;
            state.update(&r.target.unwrap_or_default(), body(r.object)?)
        }
        Call::Patch(r) => {
            state.check(r.options.as_ref())?;
            let target = r.target.unwrap_or_default();
            let object = patched(state.stored(&target)?, &r.patch.unwrap_or_default())?;
            state.update(&target, object)
        }
        Call::Delete(r) => {
            state.check(r.options.as_ref())?;
            let target = r.target.unwrap_or_default();
            let options = r.delete_options.filter(|o| !o.body.is_empty()).map(|o| body(Some(o))).transpose()?;
            let options = options.unwrap_or_default();
            state.check_preconditions(&target, &options)?;
            let now = options["gracePeriodSeconds"] == 0;
            state.delete(&target, now)
        }
        Call::DeleteCollection(r) => {
            state.check(r.options.as_ref())?;
            let (target, selector) = (r.target.unwrap_or_default(), Selector::parse(r.selection.as_ref())?);
            let places: Vec<Place> = state.select(&target, &selector).map(|(place, _)| place.clone()).collect();
            for place in places {
                state.delete(
                    &v1::Target { namespace: place.key.namespace, name: place.key.name, ..target.clone() },
                    false,
                )?;
            }
            Ok(json!({"kind": "Status", "apiVersion": "v1", "status": "Success"}))
        }
        Call::Discover(_) => state.discovery.clone().ok_or_else(|| unsupported("", "discover")),
        Call::Read(_) => Err(unsupported("", "read")),
    }
}

// === impl State ===

impl State {
    fn stored(&self, target: &v1::Target) -> Result<&Value> {
        let missing = || Status::not_found(&resource(target), &target.name);
        Ok(self.objects.get(&Place::of(target, &target.name)).ok_or_else(missing)?)
    }

    fn check(&self, options: Option<&v1::WriteOptions>) -> Result<()> {
        let Some(fence) = options.and_then(|o| o.fence.as_ref()) else { return Ok(()) };
        let target = v1::Target {
            group: "coordination.k8s.io".into(),
            resource: "leases".into(),
            namespace: fence.namespace.clone(),
            name: fence.name.clone(),
            ..v1::Target::default()
        };
        let spec = self.stored(&target).map(|lease| lease["spec"].clone()).unwrap_or_default();
        if spec["holderIdentity"] == fence.holder.as_str() && spec["leaseTransitions"] == fence.transitions {
            return Ok(());
        }
        Err(Status::conflict(&resource(&target), &fence.name, "leadership has moved").into())
    }

    fn check_preconditions(&self, target: &v1::Target, options: &Value) -> Result<()> {
        let stored = self.stored(target)?;
        for field in ["uid", "resourceVersion"] {
            let wanted = &options["preconditions"][field];
            if !wanted.is_null() && *wanted != stored["metadata"][field] {
                let text = format!("the precondition on {field} does not hold");
                return Err(Status::conflict(&resource(target), &target.name, &text).into());
            }
        }
        Ok(())
    }

    fn create(&mut self, target: &v1::Target, mut object: Value) -> Result<Value> {
        match target.subresource.as_str() {
            "" => {}
            "binding" => return self.bind(target, &object),
            "eviction" => return self.delete(&v1::Target { subresource: String::new(), ..target.clone() }, false),
            other => return Err(unsupported(&format!("{}/{other}", target.resource), "create")),
        }
        let meta = &mut object["metadata"];
        if meta["name"].as_str().unwrap_or_default().is_empty() {
            let prefix = meta["generateName"].as_str().unwrap_or_default();
            meta["name"] = format!("{prefix}{:05}", self.revision + 1).into();
        }
        let name = meta["name"].as_str().unwrap_or_default().to_owned();
        if !target.namespace.is_empty() {
            meta["namespace"] = target.namespace.clone().into();
        }
        meta["uid"] = uuid::Uuid::from_u128(clock::chance()).to_string().into();
        meta["creationTimestamp"] = now();
        let place = Place::of(target, &name);
        if self.objects.contains_key(&place) {
            return Err(Status::already_exists(&resource(target), &name).into());
        }
        Ok(self.record(place, Type::Added, object, None))
    }

    fn bind(&mut self, target: &v1::Target, binding: &Value) -> Result<Value> {
        if self.refuse_binding {
            return Err(Status::unavailable("memory refuses bindings", 0).into());
        }
        let before = self.stored(target)?.clone();
        if before["spec"]["nodeName"].as_str().is_some_and(|n| !n.is_empty()) {
            return Err(Status::conflict(&resource(target), &target.name, "pod is already assigned to a node").into());
        }
        if !before["metadata"]["deletionTimestamp"].is_null() {
            return Err(Status::conflict(&resource(target), &target.name, "pod is being deleted").into());
        }
        let mut pod = before.clone();
        pod["spec"]["nodeName"] = binding["target"]["name"].clone();
        self.record(Place::of(target, &target.name), Type::Modified, pod, Some(before));
        Ok(json!({"kind": "Status", "apiVersion": "v1", "status": "Success"}))
    }

    fn update(&mut self, target: &v1::Target, mut object: Value) -> Result<Value> {
        let before = self.stored(target)?.clone();
        let expected = object["metadata"]["resourceVersion"].as_str().unwrap_or_default();
        if !expected.is_empty() && before["metadata"]["resourceVersion"] != expected {
            return Err(Status::modified(&resource(target), &target.name).into());
        }
        match target.subresource.as_str() {
            "" => keep(&mut object, &before, "status"),
            "status" => {
                let status = object["status"].take();
                object = before.clone();
                object["status"] = status;
            }
            other => return Err(unsupported(&format!("{}/{other}", target.resource), "update")),
        }
        let metadata = &before["metadata"];
        for field in ["uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds", "namespace"] {
            keep(&mut object["metadata"], metadata, field);
        }
        if object == before {
            return Ok(before);
        }
        let released = !metadata["deletionTimestamp"].is_null() && !finalized(&object) && !in_grace(&object);
        let kind = if released { Type::Deleted } else { Type::Modified };
        Ok(self.record(Place::of(target, &target.name), kind, object, Some(before)))
    }

    fn delete(&mut self, target: &v1::Target, at_once: bool) -> Result<Value> {
        let before = self.stored(target)?.clone();
        let mut object = before.clone();
        if object["metadata"]["deletionTimestamp"].is_null() {
            object["metadata"]["deletionTimestamp"] = now();
        }
        if self.graceful && target.resource == "pods" {
            let grace = if !at_once && runs(&object) { GRACE } else { 0 };
            object["metadata"]["deletionGracePeriodSeconds"] = grace.into();
        }
        let lives = finalized(&object) || in_grace(&object);
        let kind = if lives { Type::Modified } else { Type::Deleted };
        if kind == Type::Modified && object == before {
            return Ok(before);
        }
        Ok(self.record(Place::of(target, &target.name), kind, object, Some(before)))
    }
}

fn is_binding(target: &v1::Target) -> bool {
    target.subresource == "binding"
}

fn keep(object: &mut Value, before: &Value, field: &str) {
    match before.get(field) {
        Some(value) => object[field] = value.clone(),
        None => drop(object.as_object_mut().and_then(|o| o.shift_remove(field))),
    }
}

/// Whether a kubelet has still to end this pod that is being deleted.
fn in_grace(pod: &Value) -> bool {
    pod["metadata"]["deletionGracePeriodSeconds"].as_i64().is_some_and(|grace| grace > 0)
}

/// Whether a kubelet has to end this pod when it is deleted.
fn runs(pod: &Value) -> bool {
    let finished = ["Succeeded", "Failed"].iter().any(|phase| pod["status"]["phase"] == *phase);
    pod["spec"]["nodeName"].as_str().is_some_and(|node| !node.is_empty()) && !finished
}

fn finalized(object: &Value) -> bool {
    object["metadata"]["finalizers"].as_array().is_some_and(|f| !f.is_empty())
}

fn patched(current: &Value, patch: &v1::Object) -> Result<Value> {
    let unknown = || Status::unsupported_media_type(format!("{} is no kind of patch", patch.media_type));
    let kind = PatchKind::parse(&patch.media_type).ok_or_else(unknown)?;
    let current = Object::from_value(current.clone()).map_err(|e| Status::bad_request(e.to_string()))?;
    Ok(nakhoda_api::patch::apply(kind, &current, &patch.body)?.into_value())
}

fn body(object: Option<v1::Object>) -> Result<Value> {
    serde_json::from_slice(&object.unwrap_or_default().body).map_err(Error::decode("a body"))
}

fn now() -> Value {
    nakhoda_api::time::now_rfc3339(clock::now()).into()
}

fn resource(target: &v1::Target) -> GroupResource {
    GroupResource::new(target.group.clone(), target.resource.clone())
}

fn unsupported(resource: &str, verb: &str) -> Error {
    Status::method_not_supported(&GroupResource::new("", resource), verb).into()
}
