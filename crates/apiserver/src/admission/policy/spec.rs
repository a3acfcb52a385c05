//! Policies and bindings of both kinds as far as evaluation reads them.

use nakhoda_api::kinds::meta::LabelSelector;
use nakhoda_api::{GroupVersion, GroupVersionKind};
use serde::Deserialize;

use crate::admission::webhook::hook::{Condition, Rule};

/// A policy.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Policy {
    /// Its name.
    pub metadata: Named,
    /// What it says.
    pub spec: PolicySpec,
}

/// Metadata as far as it is read.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Named {
    /// The name.
    pub name: String,
}

/// What a policy says.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct PolicySpec {
    /// `Fail` or `Ignore`.
    pub failure_policy: String,
    /// Of what kind its parameters are.
    pub param_kind: Option<ParamKind>,
    /// What it is about.
    pub match_constraints: MatchResources,
    /// What must hold besides.
    pub match_conditions: Vec<Condition>,
    /// What its expressions may name, in order.
    pub variables: Vec<Condition>,
    /// What must hold (validating).
    pub validations: Vec<Validation>,
    /// What is told of it (validating).
    pub audit_annotations: Vec<AuditAnnotation>,
    /// What is changed (mutating).
    pub mutations: Vec<Mutation>,
    /// `Never` or `IfNeeded` (mutating).
    pub reinvocation_policy: String,
}

/// A kind of parameters.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ParamKind {
    /// Group and version.
    pub api_version: String,
    /// The kind.
    pub kind: String,
}

/// What a policy or a binding is about.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct MatchResources {
    /// Any of these.
    pub resource_rules: Vec<Rule>,
    /// None of these.
    pub exclude_resource_rules: Vec<Rule>,
    /// `Equivalent` or `Exact`.
    pub match_policy: String,
    namespace_selector: Option<LabelSelector>,
    object_selector: Option<LabelSelector>,
}

/// What must hold.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Validation {
    /// In CEL.
    pub expression: String,
    /// What is told otherwise.
    pub message: String,
    /// An expression that makes what is told.
    pub message_expression: String,
    /// The reason of the refusal.
    pub reason: String,
}

/// What is told of a request.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct AuditAnnotation {
    /// Behind the policy's name.
    pub key: String,
    /// In CEL.
    pub value_expression: String,
}

/// A change.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Mutation {
    /// `ApplyConfiguration` or `JSONPatch`.
    pub patch_type: String,
    /// Fields to be merged.
    pub apply_configuration: Option<Change>,
    /// Operations.
    #[serde(rename = "jsonPatch")]
    pub json_patch: Option<Change>,
}

/// An expression that makes a change.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Change {
    /// In CEL.
    pub expression: String,
}

/// Where a policy counts.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Binding {
    /// Its name.
    pub metadata: Named,
    /// What it says.
    pub spec: BindingSpec,
}

/// What a binding says.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct BindingSpec {
    /// Of the policy.
    pub policy_name: String,
    /// Which parameters it is given.
    pub param_ref: Option<ParamRef>,
    /// What of the policy's resources.
    pub match_resources: Option<MatchResources>,
    /// `Deny`, `Warn`, `Audit` (validating).
    pub validation_actions: Vec<String>,
}

/// Which parameters.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ParamRef {
    /// One by its name.
    pub name: String,
    /// Where; empty: where the object is.
    pub namespace: String,
    /// Or all by their labels.
    pub selector: Option<LabelSelector>,
    /// `Allow` or `Deny`.
    pub parameter_not_found_action: String,
}

// === impl PolicySpec ===

impl PolicySpec {
    /// Whether an expression that fails lets the request pass.
    #[must_use]
    pub fn ignores(&self) -> bool {
        self.failure_policy == "Ignore"
    }
}

// === impl ParamKind ===

impl ParamKind {
    /// Group, version and kind.
    #[must_use]
    pub fn gvk(&self) -> Option<GroupVersionKind> {
        let GroupVersion { group, version } = GroupVersion::parse(&self.api_version)?;
        Some(GroupVersionKind { group, version, kind: self.kind.clone() })
    }
}

// === impl MatchResources ===

impl MatchResources {
    /// Of namespaces and of objects.
    #[must_use]
    pub const fn selectors(&self) -> [Option<&LabelSelector>; 2] {
        [self.namespace_selector.as_ref(), self.object_selector.as_ref()]
    }
}
