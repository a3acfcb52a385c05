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
            let mut asked = Vec::new();
            for hook in webhook::configured(attributes, RESOURCE) {
                let question = webhook::question(&hook, attributes, object).await?;
                asked.extend(question.map(|question| (hook, question)));
            }
            let answers = asked.iter().map(|(hook, question)| webhook::ask(hook, attributes, question));
            let answers = join_all(answers).await;
            for ((hook, _), answer) in asked.iter().zip(answers) {
                if let Some(answer) = answer?.filter(|answer| !answer.allowed) {
                    return Err(review::refusal(hook, &answer.result));
                }
            }
            Ok(())
        })
    }
}
