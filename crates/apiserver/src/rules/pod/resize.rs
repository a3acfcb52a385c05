//! `pods/resize`: the amounts of cpu and memory of a pod and its containers change while it runs. Nothing is
//! added, taken away or reordered, and the quality of service stays.

use nakhoda_api::field::{Errors, Path};
use nakhoda_api::kinds::core::{Container, Pod, PodSpec, ResourceRequirements};
use nakhoda_api::qos;

use super::annotations;
use super::ephemeral::keep_rest;
use crate::rules::check::{list, same, text};
use crate::rules::defaults::Resources;

const RESIZED: [&str; 2] = ["cpu", "memory"];
const ONLY: &str = "only cpu and memory resources are mutable";

/// Puts everything back but amounts and resize policies. Where the containers are not the same ones, validation
/// is left to say so.
pub fn keep(new: &mut Pod, old: &Pod) {
    let (Some(spec), Some(before)) = (&mut new.spec, &old.spec) else { return };
    let (init, init_before) = (list(&spec.init_containers), list(&before.init_containers));
    if spec.containers.len() != before.containers.len() || init.len() != init_before.len() {
        return;
    }
    let containers = kept(&spec.containers, &before.containers);
    let init = spec.init_containers.as_ref().map(|init| kept(init, init_before));
    let resources = spec.resources.take();
    keep_rest(new, old);
    if let Some(spec) = &mut new.spec {
        (spec.containers, spec.init_containers, spec.resources) = (containers, init, resources);
    }
}

fn kept(new: &[Container], old: &[Container]) -> Vec<Container> {
    if new.iter().zip(old).any(|(n, o)| n.name != o.name) {
        return new.to_vec();
    }
    let one = |(n, o): (&Container, &Container)| Container {
        resources: n.resources.clone(),
        resize_policy: n.resize_policy.clone(),
        ..o.clone()
    };
    new.iter().zip(old).map(one).collect()
}

/// A resized pod.
pub fn validate(errors: &mut Errors, new: &Pod, old: &Pod) {
    if annotations::is_mirror(old) {
        return errors.forbidden(&Path::new("[]"), "static pods cannot be resized");
    }
    let none = PodSpec::default();
    let (spec, before) = (new.spec.as_ref().unwrap_or(&none), old.spec.as_ref().unwrap_or(&none));
    if before.os.as_ref().is_some_and(|os| os.name == "windows") {
        return errors.forbidden(&Path::new("[]"), "windows pods cannot be resized");
    }
    super::whole(errors, new, spec);
    let path = Path::new("spec");
    let class = old.status.as_ref().and_then(|s| s.qos_class.clone()).filter(|c| !c.is_empty());
    if class.as_deref().unwrap_or_else(|| qos::class(before)) != qos::class(spec) {
        errors.invalid(&path, class.unwrap_or_default(), "Pod QOS Class may not change as a result of resizing");
    }
    if !is_supported(old) {
        errors.forbidden(&path, "Pod running on node without support for resize");
    }
    let mut masked = spec.clone();
    if given(before.resources.as_ref()) || given(spec.resources.as_ref()) {
        whole_pod(errors, &path, &mut masked, before);
    }
    if claims(old) {
        errors.forbidden(&path, "pods with node allocatable resource claims cannot be resized");
    }
    if same_containers(errors, &path, spec, before) {
        amounts(errors, &path, &mut masked, before);
        if errors.is_empty() && !same(&masked, before) {
            errors.forbidden(&path, ONLY);
        }
    }
}

/// A node that can resize tells what its containers really have.
fn is_supported(pod: &Pod) -> bool {
    let statuses = pod.status.as_ref().map_or(&[][..], |s| list(&s.container_statuses));
    let running = statuses.iter().find(|s| s.state.as_ref().is_some_and(|state| state.running.is_some()));
    running.is_none_or(|status| status.resources.is_some())
}

fn claims(pod: &Pod) -> bool {
    let status = pod.status.as_ref();
    status.is_some_and(|s| !list(&s.node_allocatable_resource_claim_statuses).is_empty())
}

fn given(resources: Option<&ResourceRequirements>) -> bool {
    let any = |amounts: &Option<Resources>| amounts.as_ref().is_some_and(|a| !a.is_empty());
    resources.is_some_and(|r| any(&r.requests) || any(&r.limits))
}

fn whole_pod(errors: &mut Errors, path: &Path, new: &mut PodSpec, old: &PodSpec) {
    let at = path.child("resources");
    let none = ResourceRequirements::default();
    if let Some(before) = &old.resources {
        let Some(now) = &new.resources else {
            return errors.forbidden(&at, "pod-level resources cannot be removed");
        };
        none_removed(errors, &at, "pod-level resource", now, before);
    }
    new.resources = new.resources.take().map(|r| masked(&r, old.resources.as_ref().unwrap_or(&none)));
    new.resources = new.resources.take().filter(|r| old.resources.is_some() || !same(r, &none));
    if !same(&new.resources, &old.resources) {
        errors.forbidden(path, format!("{ONLY} at pod-level"));
    }
}

/// Whether the containers can be compared one by one.
fn same_containers(errors: &mut Errors, path: &Path, new: &PodSpec, old: &PodSpec) -> bool {
    let mut same = true;
    for (field, new, old) in [
        ("containers", &new.containers[..], &old.containers[..]),
        ("initContainers", list(&new.init_containers), list(&old.init_containers)),
    ] {
        let at = path.child(field);
        if new.len() != old.len() {
            errors.forbidden(&at, format!("{field} may not be added or removed on resize"));
            same = false;
            continue;
        }
        for i in (0..old.len()).filter(|i| new[*i].name != old[*i].name) {
            let why = format!("{field} may not be renamed or reordered on resize");
            errors.forbidden(&at.index(i).child("name"), why);
            same = false;
        }
    }
    same
}

/// What each container asks for; puts back in `new` what may change.
fn amounts(errors: &mut Errors, path: &Path, new: &mut PodSpec, old: &PodSpec) {
    let none = ResourceRequirements::default();
    let init = path.child("initContainers");
    let new_init = new.init_containers.as_deref_mut().unwrap_or_default();
    for (at, new, old) in
        [(&init, &*new_init, list(&old.init_containers)), (&path.child("containers"), &new.containers, &old.containers)]
    {
        for (i, (new, old)) in new.iter().zip(old).enumerate() {
            let (now, before) = (new.resources.as_ref().unwrap_or(&none), old.resources.as_ref().unwrap_or(&none));
            none_removed(errors, &at.index(i).child("resources"), "resource", now, before);
        }
    }
    for (new, old) in new.containers.iter_mut().zip(&old.containers) {
        if !put_back(new, old) {
            errors.forbidden(path, ONLY);
        }
    }
    for (i, (new, old)) in new_init.iter_mut().zip(list(&old.init_containers)).enumerate() {
        let (at, changed) = (init.index(i), !same(&*new, old));
        if !put_back(new, old) {
            errors.forbidden(&at, "only cpu and memory resources for init or sidecar containers are mutable");
        }
        if changed && text(&new.restart_policy) != "Always" {
            let why = "non-sidecar init containers with a resize policy of RestartContainer cannot be resized";
            let restarting = list(&new.resize_policy).iter().filter(|p| p.restart_policy == "RestartContainer");
            restarting.for_each(|_| errors.forbidden(&at, why));
        }
    }
}

/// Puts cpu and memory back; whether that was all that changed.
fn put_back(new: &mut Container, old: &Container) -> bool {
    let none = ResourceRequirements::default();
    let amounts = masked(new.resources.as_ref().unwrap_or(&none), old.resources.as_ref().unwrap_or(&none));
    new.resources = Some(ResourceRequirements { claims: None, ..amounts });
    same(new, old)
}

/// The new amounts with cpu and memory of the old ones.
fn masked(new: &ResourceRequirements, old: &ResourceRequirements) -> ResourceRequirements {
    let mask = |new: &Option<Resources>, old: &Option<Resources>| {
        let counted = |name: &String| RESIZED.contains(&name.as_str());
        let mut all: Resources = new.clone().unwrap_or_default();
        all.retain(|name, _| !counted(name));
        all.extend(old.iter().flatten().filter(|(name, _)| counted(name)).map(|(n, q)| (n.clone(), q.clone())));
        Some(all)
    };
    ResourceRequirements {
        limits: mask(&new.limits, &old.limits),
        requests: mask(&new.requests, &old.requests),
        claims: new.claims.clone(),
    }
}

fn none_removed(errors: &mut Errors, path: &Path, what: &str, new: &ResourceRequirements, old: &ResourceRequirements) {
    let pairs = [("requests", &new.requests, &old.requests), ("limits", &new.limits, &old.limits)];
    for (field, new, old) in pairs {
        let there = |name: &String| new.as_ref().is_some_and(|amounts| amounts.contains_key(name));
        if !old.iter().flatten().all(|(name, _)| there(name)) {
            errors.forbidden(&path.child(field), format!("{what} {field} cannot be removed"));
        }
    }
}

#[cfg(test)]
mod tests;
