//! PodSecurity: pods keep to the standard that their namespace's labels ask for, or the configuration where they do
//! not; what their templates would do against it is warned of, and told to the audit log
//! (`k8s.io/pod-security-admission`).

use futures::future::BoxFuture;
use nakhoda_api::kinds::core::{Namespace, Pod, PodSpec, PodTemplateSpec};
use nakhoda_api::{Object, Status};
use serde::Deserialize;

use super::{Attributes, Operation, Plugin};
use config::Configuration;
use policy::{Level, Policy, Standard};
use subject::Subject;

mod checks;
mod config;
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

/// What stands before the keys of audit annotations.
const ANNOTATION: &str = "pod-security.kubernetes.io/";

/// The plugin.
#[derive(Default)]
pub struct PodSecurity {
    configuration: Configuration,
}

// === impl PodSecurity ===

impl PodSecurity {
    /// Everything goes where labels say nothing, and nobody is exempt.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}

impl Plugin for PodSecurity {
    fn name(&self) -> &'static str {
        "PodSecurity"
    }

    fn configure(&mut self, configuration: &serde_json::Value) -> Result<(), String> {
        self.configuration = Configuration::read(configuration)?;
        Ok(())
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
                return namespace::check(&self.configuration, attributes, new);
            }
            let call = attributes.call;
            if let Some(why) = self.configuration.exempts(call.namespace(), &call.user.name) {
                annotate(attributes, "exempt", why);
                return Ok(());
            }
            let namespace = attributes.find::<Namespace>("", call.namespace()).await?;
            let labels = namespace.and_then(|namespace| namespace.metadata.labels).unwrap_or_default();
            let (policy, errors) = Policy::of(&labels, &self.configuration.defaults);
            if !errors.is_empty() {
                annotate(attributes, "error", format!("Failed to parse policy: {errors}"));
            } else if policy.is_privileged() {
                if template(attributes).is_none() {
                    annotate(attributes, "enforce-policy", policy.enforce.to_string());
                }
                return Ok(());
            }
            match template(attributes) {
                Some(path) => self.check_template(attributes, &policy, new, path),
                None => self.check_pod(attributes, &policy, new),
            }
        })
    }
}

impl PodSecurity {
    /// The pods of a template are refused one by one: here is only told that they will be.
    fn check_template(
        &self,
        attributes: &Attributes<'_>,
        policy: &Policy,
        new: &Object,
        path: &[&str],
    ) -> Result<(), Status> {
        let Some(value) = new.at(path) else { return Ok(()) };
        let template = PodTemplateSpec::deserialize(value).map_err(|error| Status::internal(&error))?;
        let Some(spec) = &template.spec else { return Ok(()) };
        if self.is_exempt(attributes, spec) {
            return Ok(());
        }
        let subject = Subject::new(template.metadata.as_ref(), spec);
        audit(attributes, policy.audit, &subject);
        warn(attributes, policy.warn, &subject);
        Ok(())
    }

    fn check_pod(&self, attributes: &Attributes<'_>, policy: &Policy, new: &Object) -> Result<(), Status> {
        let read = |object: &Object| object.typed::<Pod>().map_err(|error| Status::internal(&error));
        let pod = read(new)?;
        if let Some(old) = attributes.old
            && images(&read(old)?) == images(&pod)
        {
            return Ok(());
        }
        let Some(spec) = pod.spec.as_ref().filter(|spec| !self.is_exempt(attributes, spec)) else { return Ok(()) };
        let subject = Subject::new(Some(&pod.metadata), spec);
        annotate(attributes, "enforce-policy", policy.enforce.to_string());
        audit(attributes, policy.audit, &subject);
        let faults = checks::faults(policy.enforce, &subject);
        if !faults.is_empty() {
            let why = format!("violates PodSecurity \"{}\": {}", policy.enforce, checks::details(&faults));
            return Err(attributes.forbidden(Some(new), &why));
        }
        warn(attributes, policy.warn, &subject);
        Ok(())
    }

    fn is_exempt(&self, attributes: &Attributes<'_>, spec: &PodSpec) -> bool {
        let exempt = self.configuration.exempts_class(spec.runtime_class_name.as_deref());
        if exempt {
            annotate(attributes, "exempt", "runtimeClass");
        }
        exempt
    }
}

fn template(attributes: &Attributes<'_>) -> Option<&'static [&'static str]> {
    TEMPLATES.iter().find(|(group, resource, _)| attributes.is(group, resource)).map(|(.., path)| *path)
}

fn warn(attributes: &Attributes<'_>, standard: Standard, pod: &Subject<'_>) {
    attributes.call.notes.warn(violation(standard, pod));
}

fn audit(attributes: &Attributes<'_>, standard: Standard, pod: &Subject<'_>) {
    if let Some(told) = violation(standard, pod) {
        annotate(attributes, "audit-violations", told);
    }
}

fn violation(standard: Standard, pod: &Subject<'_>) -> Option<String> {
    if standard.level == Level::Privileged {
        return None;
    }
    let faults = checks::faults(standard, pod);
    let told = || format!("would violate PodSecurity \"{standard}\": {}", checks::details(&faults));
    (!faults.is_empty()).then(told)
}

fn annotate(attributes: &Attributes<'_>, key: &str, text: impl Into<String>) {
    attributes.call.trail.annotate(format!("{ANNOTATION}{key}"), text);
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
