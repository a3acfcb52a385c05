//! Which requests a FlowSchema matches (`k8s.io/apiserver/pkg/util/flowcontrol/rule.go`), and which of them are one flow.

use std::hash::{DefaultHasher, Hash, Hasher};

use nakhoda_api::kinds::flowcontrol::{
    FlowSchema, NonResourcePolicyRule, PolicyRulesWithSubjects, ResourcePolicyRule, Subject,
};

use crate::request::{ResourceTarget, Target};
use crate::rules::check::list;
use crate::user::User;

const ALL: &str = "*";
const ACCOUNT: &str = "system:serviceaccount:";

/// A schema, ready to be asked.
pub struct Schema {
    name: String,
    precedence: i32,
    flows: Flows,
    rules: Vec<PolicyRulesWithSubjects>,
}

/// What tells the flows of one schema apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Flows {
    One,
    ByUser,
    ByNamespace,
}

/// What is asked by whom.
#[derive(Clone, Copy)]
pub struct Asked<'a> {
    /// Who.
    pub user: &'a User,
    /// Of what.
    pub target: &'a Target,
    /// The word that authorization knows.
    pub verb: &'a str,
}

// === impl Schema ===

impl Schema {
    /// Takes what an object says.
    #[must_use]
    pub fn new(schema: &FlowSchema) -> Self {
        let flows = match schema.spec.distinguisher_method.as_ref().map(|method| method.type_.as_str()) {
            Some("ByUser") => Flows::ByUser,
            Some("ByNamespace") => Flows::ByNamespace,
            _ => Flows::One,
        };
        Self {
            name: schema.metadata.name.clone().unwrap_or_default(),
            precedence: schema.spec.matching_precedence.unwrap_or(0),
            flows,
            rules: list(&schema.spec.rules).to_vec(),
        }
    }

    /// The object's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Lower ones are asked first.
    #[must_use]
    pub fn rank(&self) -> (i32, &str) {
        (self.precedence, &self.name)
    }

    /// Whether it matches a request.
    #[must_use]
    pub fn matches(&self, asked: &Asked<'_>) -> bool {
        self.rules.iter().any(|rule| {
            let wanted = match asked.target {
                Target::Resource(target) => {
                    list(&rule.resource_rules).iter().any(|rule| resource(rule, target, asked.verb))
                }
                Target::Path(path) => list(&rule.non_resource_rules).iter().any(|rule| url(rule, path, asked.verb)),
            };
            wanted && rule.subjects.iter().any(|one| subject(one, asked.user))
        })
    }

    /// What requests of one flow share.
    #[must_use]
    pub fn hash(&self, asked: &Asked<'_>) -> u64 {
        let distinguisher = match (self.flows, asked.target) {
            (Flows::ByUser, _) => asked.user.name.as_str(),
            (Flows::ByNamespace, Target::Resource(target)) => &target.namespace,
            (Flows::ByNamespace, Target::Path(_)) | (Flows::One, _) => "",
        };
        let mut hasher = DefaultHasher::new();
        (self.name.as_str(), distinguisher).hash(&mut hasher);
        hasher.finish()
    }
}

fn has(values: &[String], wanted: &str) -> bool {
    values.iter().any(|value| value == ALL || value == wanted)
}

fn subject(subject: &Subject, user: &User) -> bool {
    if let Some(named) = &subject.user {
        return named.name == ALL || named.name == user.name;
    }
    if let Some(group) = &subject.group {
        return group.name == ALL || user.is_in(&group.name);
    }
    let Some(account) = &subject.service_account else { return false };
    let Some((namespace, name)) = user.name.strip_prefix(ACCOUNT).and_then(|rest| rest.split_once(':')) else {
        return false;
    };
    namespace == account.namespace && (account.name == ALL || account.name == name)
}

fn resource(rule: &ResourcePolicyRule, target: &ResourceTarget, verb: &str) -> bool {
    let named = |pattern: &String| {
        let (resource, subresource) = pattern.split_once('/').unwrap_or((pattern, ""));
        pattern == ALL || resource == target.gvr.resource && subresource == target.subresource
    };
    has(&rule.verbs, verb)
        && rule.resources.iter().any(named)
        && has(&rule.api_groups, &target.gvr.group)
        && if target.namespace.is_empty() {
            rule.cluster_scope == Some(true)
        } else {
            has(list(&rule.namespaces), &target.namespace)
        }
}

fn url(rule: &NonResourcePolicyRule, path: &str, verb: &str) -> bool {
    let matches = |pattern: &String| {
        pattern == ALL
            || pattern == path
            || pattern.strip_suffix('*').is_some_and(|prefix| prefix.ends_with('/') && path.starts_with(prefix))
    };
    has(&rule.verbs, verb) && rule.non_resource_urls.iter().any(matches)
}

#[cfg(test)]
mod tests {
    use nakhoda_api::GroupVersionResource;

    use super::*;
    use crate::bootstrap::flow;

    fn first(user: &str, groups: &[&str], target: &Target, verb: &str) -> String {
        let mut all: Vec<Schema> = flow::schemas().iter().map(Schema::new).collect();
        all.sort_by(|a, b| a.rank().cmp(&b.rank()));
        let groups = groups.iter().chain(&["system:authenticated"]).map(|group| (*group).to_owned()).collect();
        let user = User { name: user.into(), groups, ..User::default() };
        let asked = Asked { user: &user, target, verb };
        all.iter().find(|schema| schema.matches(&asked)).expect("the last one matches all").name().into()
    }

    fn object(group: &str, resource: &str, namespace: &str) -> Target {
        let gvr = GroupVersionResource::new(group, "v1", resource);
        Target::Resource(ResourceTarget { gvr, namespace: namespace.into(), ..ResourceTarget::default() })
    }

    #[test]
    fn everybody_finds_the_schema_that_upstream_finds() {
        let (leases, pods) = (object("coordination.k8s.io", "leases", "kube-node-lease"), object("", "pods", "a"));
        let nodes: &[&str] = &["system:nodes"];
        let cases: [(&str, &[&str], &Target, &str, &str); 9] = [
            ("admin", &["system:masters"], &pods, "get", "exempt"),
            ("system:node:a", nodes, &leases, "update", "system-node-high"),
            ("system:node:a", nodes, &pods, "watch", "system-nodes"),
            ("system:kube-scheduler", &[], &leases, "update", "system-leader-election"),
            ("system:kube-scheduler", &[], &leases, "watch", "kube-scheduler"),
            (
                "system:serviceaccount:kube-system:x",
                &["system:serviceaccounts"],
                &pods,
                "get",
                "kube-system-service-accounts",
            ),
            ("system:serviceaccount:a:x", &["system:serviceaccounts"], &pods, "get", "service-accounts"),
            ("jane", &[], &pods, "get", "global-default"),
            ("jane", &[], &Target::Path("/healthz".into()), "get", "probes"),
        ];
        for (user, groups, target, verb, wanted) in cases {
            assert_eq!(first(user, groups, target, verb), wanted, "{user} {verb}");
        }
    }
}
