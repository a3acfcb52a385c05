//! Admission webhooks: who is to be asked about a request, what it is told, and what becomes of the answer
//! (`k8s.io/apiserver/pkg/admission/plugin/webhook`). The two plugins are [`super::mutating_webhooks`] and
//! [`super::validating_webhooks`].

pub mod hook;
pub mod matching;
pub mod review;
pub mod view;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::time::Duration;

use nakhoda_api::{GroupVersionResource, Object, Reason, Status};

use serde_json::Value;

use super::policy::compiled::Expression;
use super::policy::facts::Facts;
use super::{Attributes, Operation};
use crate::verb::Call;
use hook::{Configuration, Hook};
use review::Answer;
use view::Matched;

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

/// The webhooks that are configured, by the names of their configurations.
#[must_use]
pub fn configured(attributes: &Attributes<'_>, resource: &str) -> Vec<Hook> {
    let Some(all) = attributes.call.pipeline.storage().snapshot(&configurations(resource)) else {
        return Vec::new();
    };
    let mut hooks = Vec::new();
    for item in all.walk(None, None) {
        match serde_json::from_slice::<Configuration>(item.json()) {
            Ok(configuration) => hooks.extend(configuration.named(item.uid(), item.name())),
            Err(error) => tracing::warn!(name = item.name(), %error, "a webhook configuration cannot be read"),
        }
    }
    hooks
}

/// What one webhook is asked.
pub struct Question {
    /// As what it sees the object.
    pub matched: Matched,
    /// The object so.
    pub object: Option<Object>,
    review: Value,
}

/// What a webhook is to be asked about a request, if it is.
pub async fn question(
    hook: &Hook,
    attributes: &Attributes<'_>,
    object: Option<&Object>,
) -> Result<Option<Question>, Status> {
    let Some(matched) = matching::matched(hook, attributes, object)? else { return Ok(None) };
    let new = matched.see(attributes, object).await?;
    let old = matched.see(attributes, attributes.old).await?;
    if !hook.match_conditions.is_empty() {
        let facts = Facts::of(attributes, &matched, new.as_deref(), old.as_deref(), &Value::Null);
        let conditions = Expression::all(&hook.match_conditions);
        let hold = facts.hold(&conditions, hook.failure_policy == "Ignore");
        if !hold.map_err(|why| attributes.forbidden(object, &why))? {
            return Ok(None);
        }
    }
    let review = review::review(hook, attributes, &matched, [new.as_deref(), old.as_deref()]);
    let object = new.map(Cow::into_owned);
    Ok(Some(Question { matched, object, review }))
}

/// Asks one webhook: its answer, or nothing if it failed and may.
pub async fn ask(hook: &Hook, attributes: &Attributes<'_>, question: &Question) -> Result<Option<Answer>, Status> {
    if attributes.dry_run && !matches!(hook.side_effects.as_str(), "None" | "NoneOnDryRun") {
        let why = format!("admission webhook {:?} does not support dry run", hook.name);
        return Err(Status::bad_request(why));
    }
    let seconds = hook.timeout_seconds.unwrap_or(10).max(1);
    let outcome = match hook.client_config.webhook() {
        Some(webhook) => {
            let within = Duration::from_secs(seconds);
            let pipeline = &attributes.call.pipeline;
            webhook.post(pipeline, &format!("?timeout={seconds}s"), &question.review, within).await
        }
        None => Err("neither an address nor a service is configured".into()),
    };
    let answer = outcome.map_err(|why| format!("failed to call webhook: {why}")).and_then(|answer| {
        review::read(answer, &question.review).map_err(|why| format!("received invalid webhook response: {why}"))
    });
    match answer {
        Ok(answer) => {
            attributes.call.notes.warn(answer.warnings.iter().cloned());
            for (key, text) in &answer.annotations {
                attributes.call.trail.annotate(format!("{}/{key}", hook.name), text);
            }
            Ok(Some(answer))
        }
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
    let labels = item.map(|item| item.labels().map(|(k, v)| (k.to_string(), v.to_string())).collect());
    labels.unwrap_or_default()
}

#[cfg(test)]
mod tests;
