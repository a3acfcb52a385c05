//! What the audit log is told of one call of a webhook: that it changed something, how, or that it failed and was let
//! pass.

use serde_json::{Value, json};

use super::{Attributes, Hook};
use crate::audit::Level;

const MUTATION: &str = "mutation.webhook.admission.k8s.io";
const PATCH: &str = "patch.webhook.admission.k8s.io";

/// One call: which webhook, in which round, as which of all.
pub(super) struct Notes<'a> {
    attributes: &'a Attributes<'a>,
    hook: &'a Hook,
    place: String,
}

// === impl Notes ===

impl<'a> Notes<'a> {
    pub(super) fn new(attributes: &'a Attributes<'a>, hook: &'a Hook, again: bool, index: usize) -> Self {
        Self { attributes, hook, place: format!("round_{}_index_{index}", u8::from(again)) }
    }

    /// Whether it changed the object.
    pub(super) fn mutation(&self, mutated: bool) {
        let told = json!({"configuration": self.hook.configuration, "webhook": self.hook.name, "mutated": mutated});
        self.annotate(MUTATION, told.to_string());
    }

    /// How it changed it, where bodies are told.
    pub(super) fn patch(&self, patch: &[u8]) {
        if self.attributes.call.trail.level() < Level::Request {
            return;
        }
        let patch: Value = serde_json::from_slice(patch).unwrap_or_default();
        let (configuration, webhook) = (&self.hook.configuration, &self.hook.name);
        let told = json!({"configuration": configuration, "webhook": webhook, "patch": patch, "patchType": "JSONPatch"});
        self.annotate(PATCH, told.to_string());
    }

    /// It failed, and its policy is to ignore that.
    pub(super) fn failed_open(&self) {
        self.annotate(&format!("failed-open.{MUTATION}"), self.hook.name.clone());
    }

    fn annotate(&self, prefix: &str, text: String) {
        self.attributes.call.trail.annotate(format!("{prefix}/{}", self.place), text);
    }
}
