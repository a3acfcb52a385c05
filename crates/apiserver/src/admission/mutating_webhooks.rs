//! `MutatingAdmissionWebhook`: webhooks that may change the object, asked one after another. One that wishes so is
//! asked again, once, if something changed the object after it.

use futures::future::BoxFuture;
use nakhoda_api::patch::{self, PatchKind};
use nakhoda_api::{Object, Status};

use super::rounds::Rounds;
use super::webhook::hook::Hook;
use super::webhook::{self, Question, review};
use super::{Attributes, Plugin};
use notes::Notes;

mod notes;

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

    fn mutate_in<'a>(
        &'a self,
        attributes: &'a Attributes<'a>,
        object: &'a mut Object,
        rounds: &'a mut Rounds,
    ) -> BoxFuture<'a, Result<(), Status>> {
        Box::pin(async move {
            rounds.webhooks.begin(rounds.again, object);
            for (index, hook) in webhook::configured(attributes, RESOURCE).into_iter().enumerate() {
                let Some(question) = webhook::question(&hook, attributes, Some(object)).await? else { continue };
                if !rounds.webhooks.asks(rounds.again, &hook.key) {
                    continue;
                }
                let notes = Notes::new(attributes, &hook, rounds.again, index);
                let outcome = once(&hook, attributes, object, question, &notes).await;
                notes.mutation(outcome.as_ref().is_ok_and(|changed| *changed));
                if outcome? {
                    rounds.webhooks.changed();
                    rounds.wanted = true;
                }
                if hook.reinvocation_policy == "IfNeeded" {
                    rounds.webhooks.asked(hook.key);
                }
            }
            rounds.webhooks.end(object);
            Ok(())
        })
    }
}

/// Asks one webhook; whether it changed the object.
async fn once(
    hook: &Hook,
    attributes: &Attributes<'_>,
    object: &mut Object,
    question: Question,
    notes: &Notes<'_>,
) -> Result<bool, Status> {
    let Some(answer) = webhook::ask(hook, attributes, &question).await? else {
        notes.failed_open();
        return Ok(false);
    };
    if !answer.allowed {
        return Err(review::refusal(hook, &answer.result));
    }
    let Some(seen) = question.object.filter(|_| !answer.patch.is_empty()) else { return Ok(false) };
    notes.patch(&answer.patch);
    let changed = patch::apply(PatchKind::Json, &seen, &answer.patch)?;
    let mut changed = question.matched.back(attributes, changed).await?;
    attributes.default(&mut changed)?;
    let differs = changed != *object;
    *object = changed;
    Ok(differs)
}
