//! What is allowed in a pod but unlikely to be meant.

use nakhoda_api::kinds::core::{Container, Pod, PodSpec};

use crate::rules::check::{list, text};

/// Of a new pod.
#[must_use]
pub fn pod(pod: &Pod) -> Vec<String> {
    let none = PodSpec::default();
    let spec = pod.spec.as_ref().unwrap_or(&none);
    let mut warnings = Vec::new();
    for (i, secret) in list(&spec.image_pull_secrets).iter().enumerate() {
        let at = format!("spec.imagePullSecrets[{i}].name");
        if secret.name.is_empty() {
            warnings.push(format!("{at}: invalid empty name \"\""));
        } else if list(&spec.image_pull_secrets)[..i].contains(secret) {
            warnings.push(format!("{at}: duplicate name \"{}\"", secret.name));
        }
    }
    if spec.termination_grace_period_seconds.is_some_and(|s| s < 0) {
        warnings.push(
            "spec.terminationGracePeriodSeconds: must be >= 0; negative values are invalid and will be treated as 1"
                .into(),
        );
    }
    for (field, containers) in [("containers", &spec.containers[..]), ("initContainers", list(&spec.init_containers))] {
        for (i, container) in containers.iter().enumerate() {
            environment(&mut warnings, &format!("spec.{field}[{i}]"), container);
        }
    }
    warnings
}

fn environment(warnings: &mut Vec<String>, path: &str, container: &Container) {
    let variables = list(&container.env);
    for (i, variable) in variables.iter().enumerate() {
        let repeated = variables[..i].iter().any(|v| v.name == variable.name);
        if repeated && !text(&variable.value).contains(&format!("$({})", variable.name)) {
            let hides =
                format!("hides previous definition of \"{}\", which may be dropped when using apply", variable.name);
            warnings.push(format!("{path}.env[{i}]: {hides}"));
        }
    }
}
