//! PodSecurity: pods keep to the standard that their namespace's labels ask for; what their templates would do
//! against it is warned of (`k8s.io/pod-security-admission`).
//!
//! Absent: defaults and exemptions by a configuration file, and the annotations by which the mode `audit` tells the
//! audit log.

use futures::future::BoxFuture;
use nakhoda_api::kinds::core::{Namespace, Pod, PodTemplateSpec};
use nakhoda_api::{Object, Status};

use super::{Attributes, Operation, Plugin};
use policy::{Level, Policy, Standard};
use subject::Subject;

mod checks;
mod namespace;
mod policy;
mod subject;

/// Where the kinds have their templates.
const TEMPLATES: &[(&str, &str, &[&str])] = &[
    ("", "podtemplates", &["template"]),
    ("", "replicationcontrollers", &["spec", "template"]),
    ("apps", "daemonsets", &["spec", "template"]),
    ("apps", "deployments", &["spec", "template"]),
    ("apps", "replicasets", &["spec", "template"]),
    ("apps", "statefulsets", &["spec", "template"]),
    ("batch", "cronjobs", &["spec", "jobTemplate", "spec", "template"]),
    ("batch", "jobs", &["spec", "template"]),
];
/// Subresources that do not change what a pod is. One that is not known is looked at.
const HARMLESS: &[&str] = &["attach", "binding", "eviction", "exec", "log", "portforward", "proxy", "status"];

/// The plugin.
pub struct PodSecurity;

impl Plugin for PodSecurity {
    fn name(&self) -> &'static str {
        "PodSecurity"
    }

    fn handles(&self, attributes: &Attributes<'_>) -> bool {
        let plain = attributes.subresource().is_empty();
        let mine = (attributes.is("", "pods") && !HARMLESS.contains(&attributes.subresource()))
            || (plain && (attributes.is("", "namespaces") || template(attributes).is_some()));
        matches!(attributes.operation, Operation::Create | Operation::Update) && mine
    }

    fn validate<'a>(
        &'a self,
        attributes: &'a Attributes<'a>,
        object: Option<&'a Object>,
    ) -> BoxFuture<'a, Result<(), Status>> {
        Box::pin(async move {
            let Some(new) = object else { return Ok(()) };
            if attributes.is("", "namespaces") {
                return namespace::check(attributes, new);
            }
            let namespace = attributes.find::<Namespace>("", attributes.call.namespace()).await?;
            let labels = namespace.and_then(|namespace| namespace.metadata.labels).unwrap_or_default();
            let (policy, _) = Policy::of(&labels);
            match template(attributes) {
                Some(path) => warn_of_template(attributes, &policy, new, path),
                None => check_pod(attributes, &policy, new),
            }
        })
    }
}

fn template(attributes: &Attributes<'_>) -> Option<&'static [&'static str]> {
    TEMPLATES.iter().find(|(group, resource, _)| attributes.is(group, resource)).map(|(.., path)| *path)
}

/// The pods of a template are refused one by one: here is only told that they will be.
fn warn_of_template(attributes: &Attributes<'_>, policy: &Policy, new: &Object, path: &[&str]) -> Result<(), Status> {
    let Some(value) = new.at(path).filter(|_| policy.warn.level != Level::Privileged) else { return Ok(()) };
    let template: PodTemplateSpec = serde_json::from_value(value.clone()).map_err(|error| Status::internal(&error))?;
    if let Some(spec) = &template.spec {
        warn(attributes, policy.warn, &Subject::new(template.metadata.as_ref(), spec));
    }
    Ok(())
}

fn check_pod(attributes: &Attributes<'_>, policy: &Policy, new: &Object) -> Result<(), Status> {
    if [policy.enforce, policy.warn].iter().all(|standard| standard.level == Level::Privileged) {
        return Ok(());
    }
    let read = |object: &Object| object.typed::<Pod>().map_err(|error| Status::internal(&error));
    let pod = read(new)?;
    if let Some(old) = attributes.old
        && images(&read(old)?) == images(&pod)
    {
        return Ok(());
    }
    let Some(spec) = &pod.spec else { return Ok(()) };
    let subject = Subject::new(Some(&pod.metadata), spec);
    let faults = checks::faults(policy.enforce, &subject);
    if !faults.is_empty() {
        let why = format!("violates PodSecurity \"{}\": {}", policy.enforce, checks::details(&faults));
        return Err(attributes.forbidden(Some(new), &why));
    }
    warn(attributes, policy.warn, &subject);
    Ok(())
}

fn warn(attributes: &Attributes<'_>, standard: Standard, pod: &Subject<'_>) {
    let faults = checks::faults(standard, pod);
    let told = || format!("would violate PodSecurity \"{standard}\": {}", checks::details(&faults));
    attributes.call.notes.warn((!faults.is_empty()).then(told));
}

/// A pod that runs is looked at again only if it gets other containers or other images.
fn images(pod: &Pod) -> Vec<Vec<(String, Option<String>)>> {
    let Some(spec) = &pod.spec else { return Vec::new() };
    let plain = |c: &nakhoda_api::kinds::core::Container| (String::new(), c.image.clone());
    let ephemeral = spec.ephemeral_containers.iter().flatten().map(|c| (c.name.clone(), c.image.clone()));
    vec![
        spec.containers.iter().map(plain).collect(),
        spec.init_containers.iter().flatten().map(plain).collect(),
        ephemeral.collect(),
    ]
}

#[cfg(test)]
mod tests;
