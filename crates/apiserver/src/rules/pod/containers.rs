//! Containers: those that run all the time, those that run before, and those that join later.

use nakhoda_api::field::{Errors, Path};
use nakhoda_api::kinds::core::{Container, ContainerRestartRule, EphemeralContainer, PodSpec};
use serde::Deserialize;

use super::volumes::Known;
use super::{claims, env, handlers, mounts, ports, resources, security};
use crate::rules::check::{chosen, label, list, required, supported, text};

/// All containers of a spec.
pub fn validate(errors: &mut Errors, path: &Path, spec: &PodSpec, volumes: &Known<'_>) {
    regular(errors, &path.child("containers"), spec, volumes);
    init(errors, &path.child("initContainers"), spec, volumes);
    ephemeral(errors, &path.child("ephemeralContainers"), spec, volumes);
}

fn regular(errors: &mut Errors, path: &Path, spec: &PodSpec, volumes: &Known<'_>) {
    if spec.containers.is_empty() {
        return errors.required(path, "");
    }
    for (i, container) in spec.containers.iter().enumerate() {
        let at = path.index(i);
        common(errors, &at, container, spec, volumes);
        if spec.containers[..i].iter().any(|c| c.name == container.name) {
            errors.duplicate(&at.child("name"), container.name.as_str());
        }
        handlers::of_container(errors, &at, container, spec);
        restart(errors, &at, container);
    }
    ports::host_conflicts(errors, path, spec.containers.iter().enumerate());
}

fn init(errors: &mut Errors, path: &Path, spec: &PodSpec, volumes: &Known<'_>) {
    let all = list(&spec.init_containers);
    for (i, container) in all.iter().enumerate() {
        let (at, name) = (path.index(i), &container.name);
        common(errors, &at, container, spec, volumes);
        match &container.restart_policy {
            Some(_) => restart(errors, &at, container),
            None if list(&container.restart_policy_rules).is_empty() => {}
            None => errors.required(&at.child("restartPolicy"), RULES_ALONE),
        }
        if !name.is_empty() && spec.containers.iter().chain(&all[..i]).any(|c| c.name == *name) {
            errors.duplicate(&at.child("name"), name.as_str());
        }
        ports::host_conflicts(errors, path, std::iter::once((0, container)));
        if text(&container.restart_policy) == "Always" {
            handlers::of_container(errors, &at, container, spec);
        } else {
            handlers::none(errors, &at, container);
            resized_in_place(errors, &at.child("resizePolicy"), container);
        }
    }
}

/// What all kinds of containers have.
fn common(errors: &mut Errors, path: &Path, container: &Container, spec: &PodSpec, volumes: &Known<'_>) {
    match container.name.as_str() {
        "" => errors.required(&path.child("name"), ""),
        name => label(errors, &path.child("name"), name),
    }
    required(errors, &path.child("image"), text(&container.image));
    let policy = text(&container.termination_message_policy);
    chosen(errors, &path.child("terminationMessagePolicy"), policy, &["File", "FallbackToLogsOnError"]);
    ports::validate(errors, &path.child("ports"), list(&container.ports));
    env::variables(errors, &path.child("env"), list(&container.env));
    env::sources(errors, &path.child("envFrom"), list(&container.env_from));
    mounts::validate(errors, path, container, volumes);
    let policies = ["Always", "IfNotPresent", "Never"];
    chosen(errors, &path.child("imagePullPolicy"), text(&container.image_pull_policy), &policies);
    if let Some(given) = &container.resources {
        resources::validate(errors, &path.child("resources"), given);
        claims::of_container(errors, &path.child("resources.claims"), list(&given.claims), spec);
    }
    resize(errors, &path.child("resizePolicy"), container, text(&spec.restart_policy));
    if let Some(context) = &container.security_context {
        security::of_container(errors, &path.child("securityContext"), context, spec.host_users != Some(false));
    }
}

fn resize(errors: &mut Errors, path: &Path, container: &Container, restart_policy: &str) {
    let all = list(&container.resize_policy);
    for (i, policy) in all.iter().enumerate() {
        if all[..i].iter().any(|p| p.resource_name == policy.resource_name) {
            errors.duplicate(&path.index(i), policy.resource_name.as_str());
        }
        chosen(errors, path, &policy.resource_name, &["cpu", "memory"]);
        chosen(errors, path, &policy.restart_policy, &["NotRequired", "RestartContainer"]);
        if restart_policy == "Never" && policy.restart_policy != "NotRequired" {
            let why = "must be 'NotRequired' when pod `restartPolicy` is 'Never'";
            errors.invalid(path, policy.restart_policy.as_str(), why);
        }
    }
}

/// What runs once cannot be restarted for more.
fn resized_in_place(errors: &mut Errors, path: &Path, container: &Container) {
    for (i, policy) in list(&container.resize_policy).iter().enumerate() {
        if policy.restart_policy == "RestartContainer" {
            let why = "must not be set to 'RestartContainer' for non-sidecar initContainers";
            errors.invalid(&path.index(i).child("restartPolicy"), "RestartContainer", why);
        }
    }
}

const RULES_ALONE: &str = "must specify restartPolicy when restart rules are used";

/// A restart policy of the container's own, and rules by exit code.
fn restart(errors: &mut Errors, path: &Path, container: &Container) {
    let (at, rules) = (path.child("restartPolicy"), list(&container.restart_policy_rules));
    match &container.restart_policy {
        None if rules.is_empty() => return,
        None => errors.required(&at, RULES_ALONE),
        Some(policy) => supported(errors, &at, policy, &["Always", "Never", "OnFailure"]),
    }
    let at = path.child("restartPolicyRules");
    if rules.len() > 20 {
        errors.too_many(&at, rules.len(), 20);
    }
    for (i, rule) in rules.iter().enumerate() {
        restart_rule(errors, &at.index(i), rule);
    }
}

fn restart_rule(errors: &mut Errors, path: &Path, rule: &ContainerRestartRule) {
    supported(errors, &path.child("action"), &rule.action, &["Restart", "RestartAllContainers"]);
    let at = path.child("exitCodes");
    let Some(codes) = &rule.exit_codes else { return errors.required(&at, "must be specified") };
    supported(errors, &at.child("operator"), &codes.operator, &["In", "NotIn"]);
    let values = list(&codes.values);
    if values.len() > 255 {
        errors.too_many(&at.child("values"), values.len(), 255);
    }
}

fn ephemeral(errors: &mut Errors, path: &Path, spec: &PodSpec, volumes: &Known<'_>) {
    let others: Vec<&str> =
        spec.containers.iter().chain(list(&spec.init_containers)).map(|c| c.name.as_str()).collect();
    let all = list(&spec.ephemeral_containers);
    for (i, one) in all.iter().enumerate() {
        let at = path.index(i);
        if let Some(container) = as_container(one) {
            common(errors, &at, &container, spec, volumes);
        }
        image_is_trimmed(errors, &at, text(&one.image));
        if others.contains(&one.name.as_str()) || all[..i].iter().any(|c| c.name == one.name) {
            errors.duplicate(&at.child("name"), one.name.as_str());
        }
        let target = text(&one.target_container_name);
        if !target.is_empty() && !others.contains(&target) {
            errors.not_found(&at.child("targetContainerName"), target);
        }
        only_allowed(errors, &at, one);
    }
}

/// The two types have the same fields but one.
fn as_container(container: &EphemeralContainer) -> Option<Container> {
    serde_json::to_value(container).and_then(|value| Container::deserialize(&value)).ok()
}

/// Nobody should rely on a container that only looks on.
fn only_allowed(errors: &mut Errors, path: &Path, container: &EphemeralContainer) {
    let why = "cannot be set for an Ephemeral Container";
    let resources = container.resources.as_ref().is_some_and(|r| !crate::rules::check::same(r, &Default::default()));
    for (field, set) in [
        ("ports", container.ports.is_some()),
        ("resources", resources),
        ("resizePolicy", container.resize_policy.is_some()),
        ("restartPolicy", container.restart_policy.is_some()),
        ("restartPolicyRules", container.restart_policy_rules.is_some()),
        ("livenessProbe", container.liveness_probe.is_some()),
        ("readinessProbe", container.readiness_probe.is_some()),
        ("startupProbe", container.startup_probe.is_some()),
        ("lifecycle", container.lifecycle.is_some()),
    ] {
        if set {
            errors.forbidden(&path.child(field), why);
        }
    }
    for (i, mount) in list(&container.volume_mounts).iter().enumerate() {
        let at = path.child("volumeMounts").index(i);
        for (field, value) in [("subPath", &mount.sub_path), ("subPathExpr", &mount.sub_path_expr)] {
            if !text(value).is_empty() {
                errors.forbidden(&at.child(field), why);
            }
        }
    }
}

/// Only checked for pods: templates with such images exist.
pub fn image_is_trimmed(errors: &mut Errors, path: &Path, image: &str) {
    if image.trim() != image {
        errors.invalid(&path.child("image"), image, "must not have leading or trailing whitespace");
    }
}
