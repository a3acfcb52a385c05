//! MutatingWebhookConfiguration: webhooks that may change objects.

use nakhoda_api::Scope;
use nakhoda_api::field::Errors;
use nakhoda_api::kinds::admissionregistration::{MutatingWebhookConfiguration, MutatingWebhook};

use crate::kind::{Columns, Cx, Info, Kind};
use crate::rules::check::list;
use crate::rules::defaults::fill_absent;
use crate::rules::hooks::{self, Hook, word};

/// The kind.
pub struct MutatingWebhookConfigurations;

impl Kind for MutatingWebhookConfigurations {
    type Object = MutatingWebhookConfiguration;

    fn info() -> Info {
        Info {
            categories: &["api-extensions"],
            generation: true,
            unconditional_update: false,
            ..Info::of::<MutatingWebhookConfiguration>("mutatingwebhookconfigurations", "mutatingwebhookconfiguration", Scope::Cluster)
        }
    }

    fn default(configuration: &mut MutatingWebhookConfiguration) {
        for hook in configuration.webhooks.iter_mut().flatten() {
            fill_absent(&mut hook.failure_policy, "Fail");
            fill_absent(&mut hook.match_policy, "Equivalent");
            hook.namespace_selector.get_or_insert_default();
            hook.object_selector.get_or_insert_default();
            hook.timeout_seconds.get_or_insert(10);
            fill_absent(&mut hook.reinvocation_policy, "Never");
            hooks::default(hook.rules.as_mut(), &mut hook.client_config);
        }
    }

    fn validate(_: &Cx, new: &MutatingWebhookConfiguration, _: Option<&MutatingWebhookConfiguration>, errors: &mut Errors) {
        let all: Vec<Hook<'_>> = list(&new.webhooks).iter().map(view).collect();
        hooks::check(&all, errors);
    }

    fn columns() -> Columns<MutatingWebhookConfiguration> {
        Columns::<MutatingWebhookConfiguration>::named()
            .number("Webhooks", |configuration, _| list(&configuration.webhooks).len().into())
            .age()
    }
}

fn view(hook: &MutatingWebhook) -> Hook<'_> {
    Hook {
        name: &hook.name,
        client: &hook.client_config,
        rules: list(&hook.rules),
        words: [word(&hook.failure_policy), word(&hook.match_policy), Some(&hook.side_effects), word(&hook.reinvocation_policy)],
        timeout: hook.timeout_seconds,
        selectors: [hook.namespace_selector.as_ref(), hook.object_selector.as_ref()],
        conditions: list(&hook.match_conditions),
        reviews: &hook.admission_review_versions,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::kinds::testing::{create, defaulted};

    #[test]
    fn a_mutating_webhook_is_filled_in_and_judged() {
        let hook = json!({"name": "a.b.c", "clientConfig": {"url": "https://x/"}, "sideEffects": "None",
            "admissionReviewVersions": ["v1"],
            "rules": [{"operations": ["CREATE"], "apiGroups": [""], "apiVersions": ["v1"], "resources": ["pods"]}]});
        let filled = defaulted::<MutatingWebhookConfigurations>(json!({"webhooks": [hook]}));
        assert_eq!((&filled["webhooks"][0]["timeoutSeconds"], &filled["webhooks"][0]["rules"][0]["scope"]), (&json!(10), &json!("*")));
        assert_eq!(create::<MutatingWebhookConfigurations>(json!({"webhooks": [hook]})), "");
        let mut bad = hook;
        bad["name"] = json!("a");
        bad["timeoutSeconds"] = json!(60);
        bad["matchConditions"] = json!([{"name": "x", "expression": "foo"}]);
        let told = create::<MutatingWebhookConfigurations>(json!({"webhooks": [bad]}));
        assert!(told.contains("webhooks[0].name: Invalid value: \"a\": should be a domain with at least three segments"), "{told}");
        assert!(told.contains("webhooks[0].timeoutSeconds: Invalid value: 60"), "{told}");
        assert!(told.contains("undeclared reference to 'foo'"), "{told}");
    }
}
