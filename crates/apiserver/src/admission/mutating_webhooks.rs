//! `MutatingAdmissionWebhook`: webhooks that may change the object, asked one after another. One that wishes so is
//! asked again, once, if another changed the object after it.

use futures::future::BoxFuture;
use nakhoda_api::patch::{self, PatchKind};
use nakhoda_api::{Object, Status};

use super::webhook::hook::Hook;
use super::webhook::{self, review};
use super::{Attributes, Plugin};

const RESOURCE: &str = "mutatingwebhookconfigurations";

/// The plugin.
pub struct MutatingAdmissionWebhook;

impl Plugin for MutatingAdmissionWebhook {
    fn name(&self) -> &'static str {
        "MutatingAdmissionWebhook"
    }

    fn handles(&self, attributes: &Attributes<'_>) -> bool {
        webhook::is_subject(attributes, RESOURCE)
    }

    fn mutate<'a>(
        &'a self,
        attributes: &'a Attributes<'a>,
        object: &'a mut Object,
    ) -> BoxFuture<'a, Result<(), Status>> {
        Box::pin(async move {
            let hooks = webhook::asked(attributes, Some(object), RESOURCE)?;
            let mut last = None;
            for (index, hook) in hooks.iter().enumerate() {
                if once(hook, attributes, object).await? {
                    last = Some(index);
                }
            }
            let Some(last) = last else { return Ok(()) };
            for hook in hooks[..last].iter().filter(|hook| hook.reinvocation_policy == "IfNeeded") {
                once(hook, attributes, object).await?;
            }
            attributes.call.kind.strategy.default(object)
        })
    }
}

/// Asks one webhook; whether it changed the object.
async fn once(hook: &Hook, attributes: &Attributes<'_>, object: &mut Object) -> Result<bool, Status> {
    let Some(answer) = webhook::ask(hook, attributes, Some(object)).await? else { return Ok(false) };
    if !answer.allowed {
        return Err(review::refusal(hook, &answer.result));
    }
    if answer.patch.is_empty() {
        return Ok(false);
    }
    let changed = patch::apply(PatchKind::Json, object, &answer.patch)?;
    let differs = changed != *object;
    *object = changed;
    Ok(differs)
}
