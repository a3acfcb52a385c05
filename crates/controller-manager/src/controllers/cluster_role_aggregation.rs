//! Writes the rules of aggregated ClusterRoles: those of all roles that they select, each once.

use std::sync::Arc;

use nakhoda_api::kinds::rbac::{ClusterRole, PolicyRule};
use nakhoda_client::{Client, Informer, Key, Outcome, Reconcile, Resource, Result};

use crate::context::{Context, Watches};
use crate::selector::matches;

const NAME: &str = "ClusterRoleAggregator";

/// Starts the controller.
pub fn start(cx: &Context) {
    let roles = cx.informers.of::<ClusterRole>();
    let mut watches = Watches::new(cx, NAME);
    let all = roles.clone();
    watches.on(&roles, move |_| aggregated(&all));
    watches.run(5, Aggregator { client: cx.client.clone(), roles });
}

struct Aggregator {
    client: Client,
    roles: Informer<ClusterRole>,
}

// === impl Aggregator ===

impl Reconcile for Aggregator {
    fn name(&self) -> &'static str {
        NAME
    }

    async fn reconcile(&self, key: &Key) -> Result<Outcome> {
        let Some(role) = self.roles.get(key).filter(|r| r.aggregation_rule.is_some()) else {
            return Ok(Outcome::Done);
        };
        let rules = gather(&role, &self.roles.list());
        if role.rules.clone().unwrap_or_default() == rules {
            return Ok(Outcome::Done);
        }
        let next = ClusterRole { rules: Some(rules), ..(*role).clone() };
        match self.client.all::<ClusterRole>().update(&next).await {
            Err(error) if !error.is_not_found() => Err(error),
            _ => Ok(Outcome::Done),
        }
    }
}

/// The rules of the roles that each selector selects, in the order of their names.
fn gather(role: &ClusterRole, all: &[Arc<ClusterRole>]) -> Vec<PolicyRule> {
    let selectors = role.aggregation_rule.iter().flat_map(|a| a.cluster_role_selectors.iter().flatten());
    let mut rules: Vec<PolicyRule> = Vec::new();
    for selector in selectors {
        let selected = |r: &&Arc<ClusterRole>| r.name() != role.name() && matches(selector, r.metadata.labels.as_ref());
        for rule in all.iter().filter(selected).flat_map(|r| r.rules.iter().flatten()) {
            if !rules.contains(rule) {
                rules.push(rule.clone());
            }
        }
    }
    rules
}

fn aggregated(roles: &Informer<ClusterRole>) -> Vec<Key> {
    let mut all = roles.list();
    all.retain(|role| role.aggregation_rule.is_some());
    all.iter().map(|role| Key::of(&**role)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use nakhoda_api::kinds::meta::LabelSelector;
    use nakhoda_api::kinds::rbac::AggregationRule;

    fn role(name: &str, label: &str, verb: &str) -> Arc<ClusterRole> {
        let mut role = ClusterRole::default();
        role.metadata.name = Some(name.into());
        role.metadata.labels = Some([("into".to_owned(), label.to_owned())].into());
        role.rules = Some(vec![PolicyRule { verbs: vec![verb.into()], ..PolicyRule::default() }]);
        Arc::new(role)
    }

    #[test]
    fn rules_of_selected_roles_are_gathered_once_and_never_ones_own() {
        let mut admin = (*role("admin", "admin", "old")).clone();
        let labels = Some([("into".to_owned(), "admin".to_owned())].into());
        let selector = LabelSelector { match_labels: labels, match_expressions: None };
        admin.aggregation_rule = Some(AggregationRule { cluster_role_selectors: Some(vec![selector]) });
        let all = [
            Arc::new(admin.clone()),
            role("a", "admin", "get"),
            role("b", "admin", "list"),
            role("c", "admin", "get"),
            role("d", "edit", "watch"),
        ];
        let verbs: Vec<_> = gather(&admin, &all).into_iter().flat_map(|r| r.verbs).collect();
        assert_eq!(verbs, ["get", "list"]);
    }
}
