//! Policies and bindings as far as evaluation reads them.

use nakhoda_api::kinds::meta::LabelSelector;
use nakhoda_api::{GroupVersion, GroupVersionKind};
use serde::Deserialize;

use crate::admission::webhook::hook::{Condition, Rule};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Policy {
    pub(super) metadata: Named,
    pub(super) spec: PolicySpec,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Named {
    pub(super) name: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct PolicySpec {
    pub(super) failure_policy: String,
    pub(super) param_kind: Option<ParamKind>,
    pub(super) match_constraints: MatchResources,
    pub(super) match_conditions: Vec<Condition>,
    pub(super) variables: Vec<Condition>,
    pub(super) validations: Vec<Validation>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct ParamKind {
    api_version: String,
    pub(super) kind: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct MatchResources {
    pub(super) resource_rules: Vec<Rule>,
    pub(super) exclude_resource_rules: Vec<Rule>,
    namespace_selector: Option<LabelSelector>,
    object_selector: Option<LabelSelector>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Validation {
    pub(super) expression: String,
    pub(super) message: String,
    pub(super) message_expression: String,
    pub(super) reason: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Binding {
    pub(super) metadata: Named,
    pub(super) spec: BindingSpec,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct BindingSpec {
    pub(super) policy_name: String,
    pub(super) param_ref: Option<ParamRef>,
    pub(super) match_resources: Option<MatchResources>,
    pub(super) validation_actions: Vec<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct ParamRef {
    pub(super) name: String,
    pub(super) namespace: String,
    pub(super) selector: Option<LabelSelector>,
    pub(super) parameter_not_found_action: String,
}

// === impl ParamKind ===

impl ParamKind {
    pub(super) fn gvk(&self) -> Option<GroupVersionKind> {
        let GroupVersion { group, version } = GroupVersion::parse(&self.api_version)?;
        Some(GroupVersionKind { group, version, kind: self.kind.clone() })
    }
}

// === impl MatchResources ===

impl MatchResources {
    /// Of namespaces and of objects.
    pub(super) const fn selectors(&self) -> [Option<&LabelSelector>; 2] {
        [self.namespace_selector.as_ref(), self.object_selector.as_ref()]
    }
}
