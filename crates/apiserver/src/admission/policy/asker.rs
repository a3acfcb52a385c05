//! The variable `authorizer`: what the user of a request may do besides.

use nakhoda_api::GroupVersionResource;
use nakhoda_api::cel::library::authorizer::{Authority, Question, Verdict};

use crate::authz::{Attributes, Decision};
use crate::pipeline::Pipeline;
use crate::request::{ResourceTarget, Target};
use crate::user::{AUTHENTICATED, User};
use crate::verb::Call;

/// Asks the authorizers of the server.
pub struct Asker {
    pipeline: Pipeline,
    user: User,
    target: ResourceTarget,
}

// === impl Asker ===

impl Asker {
    /// About the user of a call.
    #[must_use]
    pub fn of(call: &Call) -> Self {
        Self { pipeline: call.pipeline.clone(), user: call.user.clone(), target: call.target.clone() }
    }
}

impl Authority for Asker {
    fn request(&self) -> Question {
        let ResourceTarget { gvr, namespace, name, subresource, .. } = self.target.clone();
        Question { group: gvr.group, resource: gvr.resource, subresource, namespace, name, ..Question::default() }
    }

    fn decide(&self, question: &Question) -> Verdict {
        let Question { account, path, group, resource, subresource, namespace, name, fields, labels, verb } =
            question.clone();
        let target = if resource.is_empty() {
            Target::Path(path)
        } else {
            let gvr = GroupVersionResource { group, version: "*".into(), resource };
            Target::Resource(ResourceTarget { gvr, namespace, name, subresource, path: String::new() })
        };
        let user = account.map_or_else(|| self.user.clone(), |(namespace, name)| service_account(&namespace, &name));
        match self.pipeline.decide(&Attributes::new(user, verb, target).selecting(&fields, &labels)) {
            Decision::Allow(reason) => Verdict { allowed: true, reason, error: String::new() },
            Decision::Deny(reason) | Decision::NoOpinion(reason) => {
                Verdict { allowed: false, reason, error: String::new() }
            }
        }
    }
}

fn service_account(namespace: &str, name: &str) -> User {
    let groups = ["system:serviceaccounts".into(), format!("system:serviceaccounts:{namespace}"), AUTHENTICATED.into()];
    User { name: format!("system:serviceaccount:{namespace}:{name}"), groups: groups.into(), ..User::default() }
}
