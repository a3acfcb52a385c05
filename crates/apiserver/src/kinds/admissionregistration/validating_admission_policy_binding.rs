//! ValidatingAdmissionPolicyBinding: where a policy holds, with which parameters, and what becomes of a refusal.

use std::collections::BTreeSet;

use nakhoda_api::Scope;
use nakhoda_api::field::{Errors, Path};
use nakhoda_api::kinds::admissionregistration::ValidatingAdmissionPolicyBinding;

use crate::kind::{Columns, Cx, Info, Kind};
use crate::rules::admission;
use crate::rules::check::supported;

/// The kind.
pub struct ValidatingAdmissionPolicyBindings;

impl Kind for ValidatingAdmissionPolicyBindings {
    type Object = ValidatingAdmissionPolicyBinding;

    fn info() -> Info {
        let (plural, singular) = ("validatingadmissionpolicybindings", "validatingadmissionpolicybinding");
        Info {
            categories: &["api-extensions"],
            generation: true,
            unconditional_update: false,
            ..Info::of::<ValidatingAdmissionPolicyBinding>(plural, singular, Scope::Cluster)
        }
    }

    fn default(binding: &mut ValidatingAdmissionPolicyBinding) {
        binding.spec.match_resources.iter_mut().for_each(admission::default_resources);
    }

    fn validate(_: &Cx, new: &Self::Object, _: Option<&Self::Object>, errors: &mut Errors) {
        let (path, spec) = (Path::new("spec"), &new.spec);
        admission::policy_name(errors, &path.child("policyName"), &spec.policy_name);
        if let Some(reference) = &spec.param_ref {
            admission::param_ref(errors, &path.child("paramRef"), reference);
        }
        if let Some(resources) = &spec.match_resources {
            admission::match_resources(errors, &path.child("matchResources"), resources);
        }
        actions(errors, &path.child("validationActions"), &spec.validation_actions);
    }

    fn columns() -> Columns<ValidatingAdmissionPolicyBinding> {
        Columns::<ValidatingAdmissionPolicyBinding>::named()
            .text("PolicyName", |b, _| b.spec.policy_name.clone().into())
            .text("ParamRef", |b, _| admission::shown_ref(b.spec.param_ref.as_ref()).into())
            .age()
    }
}

fn actions(errors: &mut Errors, path: &Path, actions: &[String]) {
    let mut seen = BTreeSet::new();
    for (i, action) in actions.iter().enumerate() {
        supported(errors, &path.index(i), action, &["Audit", "Deny", "Warn"]);
        if !seen.insert(action.as_str()) {
            errors.duplicate(&path.index(i), action.as_str());
        }
    }
    if seen.contains("Deny") && seen.contains("Warn") {
        let why = "must not contain both Deny and Warn (repeating the same validation failure information in the API response and headers serves no purpose)";
        errors.invalid(path, actions.to_vec(), why);
    }
    if seen.is_empty() {
        errors.required(path, "at least one validation action is required");
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::kinds::testing::{create, row};

    #[test]
    fn a_binding_names_policy_parameters_and_actions() {
        let binding = json!({"spec": {"policyName": "p", "validationActions": ["Deny"], "paramRef": {"name": "x", "parameterNotFoundAction": "Deny"}}});
        assert_eq!(create::<ValidatingAdmissionPolicyBindings>(binding.clone()), "");
        assert_eq!(row::<ValidatingAdmissionPolicyBindings>(binding)[1..3], ["p", "*/x"]);
        let told = create::<ValidatingAdmissionPolicyBindings>(json!({"spec": {"policyName": "p", "validationActions": ["Deny", "Warn"], "paramRef": {}}}));
        assert!(told.contains("must not contain both") && told.contains("one of name or selector must be specified"), "{told}");
    }
}
