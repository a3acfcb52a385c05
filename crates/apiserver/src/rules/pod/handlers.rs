//! Probes and lifecycle hooks: one handler each.

use nakhoda_api::field::{Errors, Path};
use nakhoda_api::kinds::IntOrString;
use nakhoda_api::kinds::core::{Container, ExecAction, HTTPGetAction, Lifecycle, LifecycleHandler, PodSpec, Probe};
use nakhoda_api::names;

use crate::rules::check::{each, list, nonnegative, port, required, supported, text};

/// Hooks and probes of a container that keeps running.
pub fn of_container(errors: &mut Errors, path: &Path, container: &Container, spec: &PodSpec) {
    if let Some(hooks) = &container.lifecycle {
        lifecycle(errors, &path.child("lifecycle"), hooks, spec);
    }
    for (field, given) in [
        ("livenessProbe", &container.liveness_probe),
        ("readinessProbe", &container.readiness_probe),
        ("startupProbe", &container.startup_probe),
    ] {
        let Some(given) = given else { continue };
        let at = path.child(field);
        probe(errors, &at, given);
        match (field, given.success_threshold.unwrap_or(0), given.termination_grace_period_seconds) {
            ("readinessProbe", _, Some(seconds)) => {
                let why = "must not be set for readinessProbes";
                errors.invalid(&at.child("terminationGracePeriodSeconds"), seconds, why);
            }
            ("readinessProbe", ..) | (_, 1, _) => {}
            (_, times, _) => errors.invalid(&at.child("successThreshold"), times, "must be 1"),
        }
    }
}

/// Containers that run to their end have neither.
pub fn none(errors: &mut Errors, path: &Path, container: &Container) {
    for (field, set) in [
        ("lifecycle", container.lifecycle.is_some()),
        ("livenessProbe", container.liveness_probe.is_some()),
        ("readinessProbe", container.readiness_probe.is_some()),
        ("startupProbe", container.startup_probe.is_some()),
    ] {
        if set {
            let why = "may not be set for init containers without restartPolicy=Always";
            errors.forbidden(&path.child(field), why);
        }
    }
}

fn lifecycle(errors: &mut Errors, path: &Path, lifecycle: &Lifecycle, spec: &PodSpec) {
    for (field, hook) in [("postStart", &lifecycle.post_start), ("preStop", &lifecycle.pre_stop)] {
        if let Some(hook) = hook {
            self::hook(errors, &path.child(field), hook, spec.termination_grace_period_seconds);
        }
    }
    if lifecycle.stop_signal.is_some() && spec.os.is_none() {
        let why = "may not be set for containers with empty `spec.os.name`";
        errors.forbidden(&path.child("stopSignal"), why);
    }
}

fn hook(errors: &mut Errors, path: &Path, hook: &LifecycleHandler, grace: Option<i64>) {
    let mut one = One::new(path);
    one.check(errors, "exec", &hook.exec, exec);
    one.check(errors, "httpGet", &hook.http_get, http_get);
    one.check(errors, "tcpSocket", &hook.tcp_socket, |errors, path, tcp| port(errors, &path.child("port"), &tcp.port));
    one.check(errors, "sleep", &hook.sleep, |errors, path, sleep| {
        if let Some(grace) = grace.filter(|g| !(0..=*g).contains(&sleep.seconds)) {
            let why = format!("must be non-negative and less than terminationGracePeriodSeconds ({grace})");
            errors.invalid(path, sleep.seconds, why);
        }
    });
    one.needed(errors);
}

fn probe(errors: &mut Errors, path: &Path, probe: &Probe) {
    let mut one = One::new(path);
    one.check(errors, "exec", &probe.exec, exec);
    one.check(errors, "httpGet", &probe.http_get, http_get);
    one.check(errors, "tcpSocket", &probe.tcp_socket, |errors, path, tcp| port(errors, &path.child("port"), &tcp.port));
    one.check(errors, "grpc", &probe.grpc, |errors, path, grpc| {
        port(errors, &path.child("port"), &IntOrString::Int(grpc.port));
    });
    one.needed(errors);
    for (field, value) in [
        ("initialDelaySeconds", probe.initial_delay_seconds),
        ("timeoutSeconds", probe.timeout_seconds),
        ("periodSeconds", probe.period_seconds),
        ("successThreshold", probe.success_threshold),
        ("failureThreshold", probe.failure_threshold),
    ] {
        nonnegative(errors, &path.child(field), value);
    }
    if let Some(seconds) = probe.termination_grace_period_seconds.filter(|s| *s <= 0) {
        errors.invalid(&path.child("terminationGracePeriodSeconds"), seconds, "must be greater than 0");
    }
}

/// Counts handlers: the first is looked into, more are refused.
struct One<'a> {
    path: &'a Path,
    found: bool,
}

impl<'a> One<'a> {
    const fn new(path: &'a Path) -> Self {
        Self { path, found: false }
    }

    fn check<T>(&mut self, errors: &mut Errors, field: &str, given: &Option<T>, rule: impl Fn(&mut Errors, &Path, &T)) {
        let Some(given) = given else { return };
        let at = self.path.child(field);
        if std::mem::replace(&mut self.found, true) {
            errors.forbidden(&at, "may not specify more than 1 handler type");
        } else {
            rule(errors, &at, given);
        }
    }

    fn needed(&self, errors: &mut Errors) {
        if !self.found {
            errors.required(self.path, "must specify a handler type");
        }
    }
}

fn exec(errors: &mut Errors, path: &Path, action: &ExecAction) {
    if list(&action.command).is_empty() {
        errors.required(&path.child("command"), "");
    }
}

fn http_get(errors: &mut Errors, path: &Path, action: &HTTPGetAction) {
    required(errors, &path.child("path"), text(&action.path));
    port(errors, &path.child("port"), &action.port);
    supported(errors, &path.child("scheme"), text(&action.scheme), &["HTTP", "HTTPS"]);
    for header in list(&action.http_headers) {
        let faults = names::is_http_header_name(&header.name);
        each(errors, &path.child("httpHeaders"), header.name.as_str(), faults);
    }
}
