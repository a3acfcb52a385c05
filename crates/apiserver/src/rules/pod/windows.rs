//! What only pods on Windows have, and what pods of one system must not have.

use nakhoda_api::field::{Errors, Path};
use nakhoda_api::kinds::core::{Container, PodSpec, WindowsSecurityContextOptions};
use nakhoda_api::names;

use crate::rules::check::{each, list};

const SPEC_MAX: usize = 64 << 10;
const DOMAIN_MAX: usize = 256;
const USER_MAX: usize = 104;
const FORBIDDEN: &str = r#""/\:;|=,+*?<>@[]"#;

/// The options of a pod or a container.
pub fn options(errors: &mut Errors, path: &Path, options: Option<&WindowsSecurityContextOptions>) {
    let Some(options) = options else { return };
    if let Some(name) = &options.gmsa_credential_spec_name {
        each(errors, &path.child("gmsaCredentialSpecName"), name.as_str(), names::is_dns1123_subdomain(name));
    }
    let at = path.child("gmsaCredentialSpec");
    match &options.gmsa_credential_spec {
        Some(spec) if spec.is_empty() => {
            errors.invalid(&at, spec.as_str(), "gmsaCredentialSpec cannot be an empty string");
        }
        Some(spec) if spec.len() > SPEC_MAX => {
            errors.invalid(&at, spec.as_str(), "gmsaCredentialSpec size must be under 64 KiB");
        }
        _ => {}
    }
    if let Some(name) = &options.run_as_user_name {
        each(errors, &path.child("runAsUserName"), name.as_str(), user_name(name));
    }
}

/// `DOMAIN\USER` or `USER`.
fn user_name(name: &str) -> Vec<String> {
    let parts: Vec<&str> = name.split('\\').collect();
    let (domain, user) = match parts.as_slice() {
        [""] => return vec!["runAsUserName cannot be an empty string".into()],
        _ if name.contains(|c: char| c.is_ascii_control()) => {
            return vec!["runAsUserName cannot contain control characters".into()];
        }
        [user] => (None, *user),
        [domain, user] => (Some(*domain), *user),
        _ => return vec!["runAsUserName cannot contain more than one backslash".into()],
    };
    let faults = [
        (domain.is_some_and(|d| d.len() >= DOMAIN_MAX), "runAsUserName's Domain length must be under 256 characters"),
        (
            domain.is_some_and(|d| !is_net_bios(d) && !names::is_dns1123_subdomain(d).is_empty()),
            "runAsUserName's Domain doesn't match the NetBios nor the DNS format",
        ),
        (user.is_empty(), "runAsUserName's User cannot be empty"),
        (user.len() > USER_MAX, "runAsUserName's User length must not be longer than 104 characters"),
        (
            !user.is_empty() && user.chars().all(|c| ". ".contains(c)),
            "runAsUserName's User cannot contain only periods or spaces",
        ),
        (
            user.contains(|c: char| FORBIDDEN.contains(c)),
            r#"runAsUserName's User cannot contain the following characters: "/\:;|=,+*?<>@[]"#,
        ),
    ];
    faults.into_iter().filter(|(is, _)| *is).map(|(_, why)| why.to_owned()).collect()
}

fn is_net_bios(domain: &str) -> bool {
    (1..=15).contains(&domain.chars().count())
        && !domain.starts_with('.')
        && !domain.contains(|c: char| r#"\/:*?"<>|"#.contains(c))
}

/// Containers that are processes of the host: all of a pod are, or none.
pub fn host_process(errors: &mut Errors, path: &Path, spec: &PodSpec) {
    let context = spec.security_context.as_ref();
    let of_pod = context.and_then(|c| c.windows_options.as_ref()).and_then(|o| o.host_process);
    let (mut all, mut hosted) = (0, 0);
    for (at, container) in containers(path, spec) {
        let options = container.security_context.as_ref().and_then(|c| c.windows_options.as_ref());
        let own = options.and_then(|o| o.host_process);
        if let (Some(pod), Some(own)) = (of_pod, own)
            && pod != own
        {
            let why = format!("pod hostProcess value must be identical if both are specified, was {pod}");
            errors.invalid(&at.child("securityContext.windowsOptions.hostProcess"), own, why);
        }
        all += 1;
        hosted += usize::from(own.or(of_pod) == Some(true));
    }
    if hosted == 0 {
        return;
    }
    if hosted != all {
        let why = "If pod contains any hostProcess containers then all containers must be HostProcess containers";
        errors.invalid(path, "", why);
    }
    if spec.host_network != Some(true) {
        let why = "hostNetwork must be true if pod contains any hostProcess containers";
        errors.invalid(&path.child("hostNetwork"), false, why);
    }
}

/// What a pod of one system must not have of the other.
pub fn of_system(errors: &mut Errors, path: &Path, spec: &PodSpec) {
    let (why, pod, own): (_, &[&str], &[&str]) = match spec.os.as_ref().map(|os| os.name.as_str()) {
        Some("linux") => ("windows options cannot be set for a linux pod", WINDOWS_OF_POD, WINDOWS_OF_CONTAINER),
        Some("windows") => ("cannot be set for a windows pod", LINUX_OF_POD, LINUX_OF_CONTAINER),
        _ => return,
    };
    let given = serde_json::to_value(spec).unwrap_or_default();
    let has = |value: &serde_json::Value, path: &str| {
        let pointer = format!("/{}", path.replace('.', "/"));
        value.pointer(&pointer).is_some_and(|v| !v.is_null() && *v != serde_json::Value::Bool(false))
    };
    for field in pod.iter().filter(|field| has(&given, field)) {
        errors.forbidden(&path.child(field), why);
    }
    for (at, container) in containers(path, spec) {
        let context = serde_json::to_value(&container.security_context).unwrap_or_default();
        for field in own.iter().filter(|field| context.get(**field).is_some_and(|v| !v.is_null())) {
            errors.forbidden(&at.child("securityContext").child(field), why);
        }
    }
}

const WINDOWS_OF_POD: &[&str] = &["securityContext.windowsOptions"];
const WINDOWS_OF_CONTAINER: &[&str] = &["windowsOptions"];
const LINUX_OF_POD: &[&str] = &[
    "securityContext.appArmorProfile",
    "securityContext.seLinuxOptions",
    "hostUsers",
    "hostPID",
    "hostIPC",
    "securityContext.seccompProfile",
    "securityContext.fsGroup",
    "securityContext.fsGroupChangePolicy",
    "securityContext.sysctls",
    "shareProcessNamespace",
    "securityContext.runAsUser",
    "securityContext.runAsGroup",
    "securityContext.supplementalGroups",
    "securityContext.supplementalGroupsPolicy",
    "securityContext.seLinuxChangePolicy",
];
const LINUX_OF_CONTAINER: &[&str] = &[
    "appArmorProfile",
    "seLinuxOptions",
    "seccompProfile",
    "capabilities",
    "readOnlyRootFilesystem",
    "privileged",
    "allowPrivilegeEscalation",
    "procMount",
    "runAsUser",
    "runAsGroup",
];

/// Init containers first, as upstream visits them.
pub(super) fn containers<'a>(path: &Path, spec: &'a PodSpec) -> Vec<(Path, &'a Container)> {
    let init = list(&spec.init_containers).iter().enumerate().map(|(i, c)| (path.child("initContainers").index(i), c));
    let main = spec.containers.iter().enumerate().map(|(i, c)| (path.child("containers").index(i), c));
    init.chain(main).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn user_names_have_one_domain_and_no_signs() {
        for (name, told) in [
            ("ContainerAdministrator", ""),
            (r"CORP\me", ""),
            ("", "runAsUserName cannot be an empty string"),
            (r"a\b\c", "runAsUserName cannot contain more than one backslash"),
            ("...", "runAsUserName's User cannot contain only periods or spaces"),
            (r"a:b\me", "runAsUserName's Domain doesn't match the NetBios nor the DNS format"),
            ("a/b", r#"runAsUserName's User cannot contain the following characters: "/\:;|=,+*?<>@[]"#),
        ] {
            assert_eq!(user_name(name).join(", "), told, "{name}");
        }
    }

    #[test]
    fn processes_of_the_host_are_in_its_network_and_systems_do_not_mix() {
        for (spec, told) in [
            (
                json!({"securityContext": {"windowsOptions": {"hostProcess": true}}, "containers": [{"name": "c"}]}),
                "spec.hostNetwork: Invalid value: false: hostNetwork must be true if pod contains any hostProcess containers",
            ),
            (
                json!({"os": {"name": "linux"}, "containers": [{"name": "c", "securityContext": {"windowsOptions": {}}}]}),
                "spec.containers[0].securityContext.windowsOptions: Forbidden: windows options cannot be set for a linux pod",
            ),
            (
                json!({"os": {"name": "windows"}, "hostPID": true, "containers": []}),
                "spec.hostPID: Forbidden: cannot be set for a windows pod",
            ),
        ] {
            let spec: PodSpec = serde_json::from_value(spec).expect("a spec");
            let mut errors = Errors::default();
            host_process(&mut errors, &Path::new("spec"), &spec);
            of_system(&mut errors, &Path::new("spec"), &spec);
            assert_eq!(errors.to_string(), told);
        }
    }
}
