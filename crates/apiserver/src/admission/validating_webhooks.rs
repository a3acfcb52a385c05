//! `ValidatingAdmissionWebhook`: webhooks that may refuse, asked all at once.

use futures::future::{BoxFuture, join_all};
use nakhoda_api::{Object, Status};

use super::webhook::{self, review};
use super::{Attributes, Plugin};

const RESOURCE: &str = "validatingwebhookconfigurations";

/// The plugin.
pub struct ValidatingAdmissionWebhook;

impl Plugin for ValidatingAdmissionWebhook {
    fn name(&self) -> &'static str {
        "ValidatingAdmissionWebhook"
    }

    fn handles(&self, attributes: &Attributes<'_>) -> bool {
        webhook::is_subject(attributes, RESOURCE)
    }

    fn validate<'a>(
        &'a self,
        attributes: &'a Attributes<'a>,
        object: Option<&'a Object>,
    ) -> BoxFuture<'a, Result<(), Status>> {
        Box::pin(async move {
            let hooks = webhook::asked(attributes, object, RESOURCE)?;
            let answers = join_all(hooks.iter().map(|hook| webhook::ask(hook, attributes, object))).await;
            for (hook, answer) in hooks.iter().zip(answers) {
                if let Some(answer) = answer?.filter(|answer| !answer.allowed) {
                    return Err(review::refusal(hook, &answer.result));
                }
            }
            Ok(())
        })
    }
}
