//! An authorizer outside the process: it is asked by a SubjectAccessReview if all its conditions hold, and what it
//! says is good for a while (`k8s.io/apiserver/plugin/pkg/authorizer/webhook`).

use std::time::Duration;

use futures::future::{BoxFuture, FutureExt};
use nakhoda_api::cel::eval::PER_CALL;
use nakhoda_api::cel::{Budget, Program, Val};
use nakhoda_api::kinds::authorization::SubjectAccessReviewStatus;
use serde_json::{Map, Value};
use tokio::runtime::{Handle, RuntimeFlavor};

use super::{Attributes, Authorizer, Decision};
use crate::expiring::Expiring;
use crate::remote::Server;
use crate::user::User;

pub mod question;

/// How many answers are kept.
const ANSWERS: usize = 8192;
/// Answers to questions longer than this are not kept: who asks can make them as long as he likes.
const QUESTION_MAX: usize = 10_000;

/// The authorizer.
pub struct Webhook {
    /// Its name in the configuration.
    pub name: String,
    /// Where it is.
    pub server: Server,
    /// Which questions it is asked: those of which all of these are true.
    pub conditions: Vec<Program>,
    /// How it is asked.
    pub settings: Settings,
    answers: Expiring<String, SubjectAccessReviewStatus>,
}

/// How a webhook is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// How long a yes is good; zero: it is not kept.
    pub authorized: Duration,
    /// How long another answer is good.
    pub unauthorized: Duration,
    /// How long one try may take.
    pub timeout: Duration,
    /// Whether to ask in `authorization.k8s.io/v1beta1`.
    pub beta: bool,
    /// Whether a failure is a no; else it is no opinion.
    pub denies_on_failure: bool,
}

// === impl Webhook ===

impl Webhook {
    /// An authorizer that was not asked yet.
    #[must_use]
    pub fn new(name: String, server: Server, conditions: Vec<Program>, settings: Settings) -> Self {
        Self { name, server, conditions, settings, answers: Expiring::new(ANSWERS) }
    }

    async fn decide(&self, attributes: &Attributes) -> Decision {
        let spec = question::spec(attributes);
        match self.concerns(&spec) {
            Ok(true) => {}
            Ok(false) => return Decision::NoOpinion(String::new()),
            Err(why) => {
                tracing::warn!(authorizer = self.name, why, "a match condition failed");
                return self.failed();
            }
        }
        let key = spec.to_string();
        if let Some(known) = self.answers.get(&key) {
            return decision(known);
        }
        let asked = self.server.review(&question::review(spec, self.settings.beta), self.settings.timeout).await;
        // both versions have the same status
        let told = asked.map_err(|error| nakhoda_api::status::chain(&error)).and_then(|mut answer| {
            let status = serde_json::from_value::<Option<SubjectAccessReviewStatus>>(answer["status"].take());
            status.map_err(|error| error.to_string())
        });
        match told {
            Ok(status) => {
                let status = status.unwrap_or_default();
                let good_for = if status.allowed { self.settings.authorized } else { self.settings.unauthorized };
                if key.len() < QUESTION_MAX {
                    self.answers.put(key, status.clone(), good_for);
                }
                decision(status)
            }
            Err(error) => {
                tracing::error!(authorizer = self.name, error, "Failed to make webhook authorizer request");
                self.failed()
            }
        }
    }

    /// Whether all conditions hold. One that does not decides, even if another failed.
    fn concerns(&self, spec: &Value) -> Result<bool, String> {
        if self.conditions.is_empty() {
            return Ok(true);
        }
        let request = question::variable(spec);
        let nothing = Map::new();
        let request = request.as_object().unwrap_or(&nothing);
        let mut failure = None;
        for program in &self.conditions {
            match program.run(&[("request", Val::Object(request, None))], &mut Budget::new(PER_CALL)) {
                Ok(Val::Bool(true)) => {}
                Ok(Val::Bool(false)) => return Ok(false),
                Ok(_) => failure = Some("the condition gives no truth".to_owned()),
                Err(error) => failure = Some(error.to_string()),
            }
        }
        failure.map_or(Ok(true), Err)
    }

    fn failed(&self) -> Decision {
        if self.settings.denies_on_failure { Decision::Deny(String::new()) } else { Decision::NoOpinion(String::new()) }
    }
}

impl Authorizer for Webhook {
    /// Holds the thread until the webhook has answered. Expressions cannot wait otherwise; requests do.
    fn authorize(&self, attributes: &Attributes) -> Decision {
        match Handle::try_current() {
            Ok(handle) if handle.runtime_flavor() == RuntimeFlavor::MultiThread => {
                tokio::task::block_in_place(|| handle.block_on(self.decide(attributes)))
            }
            _ => self.failed(),
        }
    }

    fn ask<'a>(&'a self, attributes: &'a Attributes) -> BoxFuture<'a, Decision> {
        self.decide(attributes).boxed()
    }

    fn silent_on_rules(&self, _: &User) -> Option<&'static str> {
        Some("webhook authorizer does not support user rule resolution")
    }
}

fn decision(status: SubjectAccessReviewStatus) -> Decision {
    let reason = status.reason.unwrap_or_default();
    match (status.denied == Some(true), status.allowed) {
        (true, _) => Decision::Deny(reason),
        (false, true) => Decision::Allow(reason),
        (false, false) => Decision::NoOpinion(reason),
    }
}

#[cfg(test)]
mod tests;
