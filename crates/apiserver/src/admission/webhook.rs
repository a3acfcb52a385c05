//! Admission webhooks: who is to be asked about a request, what it is told, and what becomes of the answer
//! (`k8s.io/apiserver/pkg/admission/plugin/webhook`). The two plugins are [`super::mutating_webhooks`] and
//! [`super::validating_webhooks`].
//!
//! Absent: CONNECT, `matchPolicy: Equivalent` across versions, the variable `authorizer` of conditions, warnings and audit
//! annotations of answers.

pub mod hook;
pub mod matching;
pub mod review;

use std::collections::BTreeMap;
use std::time::Duration;

use nakhoda_api::{GroupVersionResource, Object, Reason, Status};

use super::{Attributes, Operation};
use crate::verb::Call;
use hook::{Configuration, Hook};
use review::Answer;

/// The group of the configurations, which no webhook is asked about: a bad one must not keep itself.
const GROUP: &str = "admissionregistration.k8s.io";

/// Whether any webhook is configured that may have a say.
#[must_use]
pub fn is_subject(attributes: &Attributes<'_>, resource: &str) -> bool {
    let call = attributes.call;
    let own = attributes.operation == Operation::Connect && call.user == crate::user::User::system();
    let configures = call.target.gvr.group == GROUP && call.target.gvr.resource.ends_with("webhookconfigurations");
    let some = call.pipeline.storage().snapshot(&configurations(resource)).is_some_and(|all| !all.is_empty());
    some && !own && !configures
}

fn configurations(resource: &str) -> GroupVersionResource {
    GroupVersionResource::new(GROUP, "v1", resource)
}

/// The webhooks that are to be asked, by the names of their configurations.
pub fn asked(attributes: &Attributes<'_>, object: Option<&Object>, resource: &str) -> Result<Vec<Hook>, Status> {
    let Some(all) = attributes.call.pipeline.storage().snapshot(&configurations(resource)) else {
        return Ok(Vec::new());
    };
    let mut hooks = Vec::new();
    for item in all.walk(None, None) {
        let configuration: Configuration = match serde_json::from_slice(item.json()) {
            Ok(configuration) => configuration,
            Err(error) => {
                tracing::warn!(name = item.name(), %error, "a webhook configuration cannot be read");
                continue;
            }
        };
        for hook in configuration.webhooks {
            if matching::matches(&hook, attributes, object)? {
                hooks.push(hook);
            }
        }
    }
    Ok(hooks)
}

/// Asks one webhook: its answer, or nothing if it failed and may.
pub async fn ask(hook: &Hook, attributes: &Attributes<'_>, object: Option<&Object>) -> Result<Option<Answer>, Status> {
    if attributes.dry_run && !matches!(hook.side_effects.as_str(), "None" | "NoneOnDryRun") {
        let why = format!("admission webhook {:?} does not support dry run", hook.name);
        return Err(Status::bad_request(why));
    }
    let review = review::request(hook, attributes, object);
    let seconds = hook.timeout_seconds.unwrap_or(10).max(1);
    let outcome = match hook.client_config.webhook() {
        Some(webhook) => {
            let within = Duration::from_secs(seconds);
            webhook.post(&attributes.call.pipeline, &format!("?timeout={seconds}s"), &review, within).await
        }
        None => Err("neither an address nor a service is configured".into()),
    };
    let answer = outcome.map_err(|why| format!("failed to call webhook: {why}")).and_then(|answer| {
        review::read(answer, &review).map_err(|why| format!("received invalid webhook response: {why}"))
    });
    match answer {
        Ok(answer) => Ok(Some(answer)),
        Err(why) if hook.failure_policy == "Ignore" => {
            tracing::warn!(webhook = hook.name, why, "a webhook failed and is ignored");
            Ok(None)
        }
        Err(why) => {
            let why = format!("Internal error occurred: failed calling webhook {:?}: {why}", hook.name);
            Err(Status::failure(500, Reason::InternalError, why))
        }
    }
}

/// Labels of the namespace that a request is about.
fn namespace_labels(call: &Call) -> BTreeMap<String, String> {
    let gvr = GroupVersionResource::new("", "v1", "namespaces");
    let item = call.pipeline.storage().item(&gvr, "", call.namespace());
    let labels = item.map(|item| item.labels().iter().map(|(k, v)| (k.to_string(), v.to_string())).collect());
    labels.unwrap_or_default()
}

#[cfg(test)]
mod tests;
