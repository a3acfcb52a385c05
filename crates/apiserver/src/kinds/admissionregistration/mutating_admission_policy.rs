//! MutatingAdmissionPolicy: expressions that change objects.

use nakhoda_api::Scope;
use nakhoda_api::cel::Variables;
use nakhoda_api::cel::mutation::Mutation as Change;
use nakhoda_api::field::{Errors, Path};
use nakhoda_api::kinds::admissionregistration::{MutatingAdmissionPolicy, MutatingAdmissionPolicySpec, Mutation};

use crate::kind::{Columns, Cx, Info, Kind};
use crate::rules::admission::{self, FAILURE, REINVOCATION};
use crate::rules::cel::{self, Wanted};
use crate::rules::check::{chosen, list, picked, text};
use crate::rules::defaults::fill_absent;

/// The kind.
pub struct MutatingAdmissionPolicies;

impl Kind for MutatingAdmissionPolicies {
    type Object = MutatingAdmissionPolicy;

    fn info() -> Info {
        let (plural, singular) = ("mutatingadmissionpolicies", "mutatingadmissionpolicy");
        Info {
            categories: &["api-extensions"],
            generation: true,
            unconditional_update: false,
            ..Info::of::<MutatingAdmissionPolicy>(plural, singular, Scope::Cluster)
        }
    }

    fn default(policy: &mut MutatingAdmissionPolicy) {
        let spec = policy.spec.get_or_insert_default();
        fill_absent(&mut spec.failure_policy, "Fail");
        spec.match_constraints.iter_mut().for_each(admission::default_resources);
    }

    fn validate(_: &Cx, new: &Self::Object, _: Option<&Self::Object>, errors: &mut Errors) {
        let none = MutatingAdmissionPolicySpec::default();
        spec(errors, &Path::new("spec"), new.spec.as_ref().unwrap_or(&none));
    }

    fn columns() -> Columns<MutatingAdmissionPolicy> {
        Columns::<MutatingAdmissionPolicy>::named()
            .number("Mutations", |p, _| p.spec.as_ref().map_or(0, |spec| list(&spec.mutations).len()).into())
            .text("ParamKind", |p, _| {
                admission::shown_kind(p.spec.as_ref().and_then(|spec| spec.param_kind.as_ref())).into()
            })
            .age()
    }
}

fn spec(errors: &mut Errors, path: &Path, spec: &MutatingAdmissionPolicySpec) {
    picked(errors, &path.child("failurePolicy"), spec.failure_policy.as_ref(), FAILURE);
    if let Some(kind) = &spec.param_kind {
        admission::param_kind(errors, &path.child("paramKind"), kind);
    }
    let at = path.child("matchConstraints");
    admission::constraints(errors, &at, spec.match_constraints.as_ref());
    admission::mutating_operations(errors, &at, spec.match_constraints.as_ref());
    let params = spec.param_kind.is_some();
    admission::conditions(errors, &path.child("matchConditions"), list(&spec.match_conditions), params);
    let known = &admission::variables(errors, &path.child("variables"), list(&spec.variables), params);
    let at = path.child("mutations");
    if list(&spec.mutations).is_empty() {
        errors.required(&at, "mutations must contain at least one item");
    }
    for (i, one) in list(&spec.mutations).iter().enumerate() {
        mutation(errors, &at.index(i), one, known);
    }
    chosen(errors, &path.child("reinvocationPolicy"), text(&spec.reinvocation_policy), REINVOCATION);
}

fn mutation(errors: &mut Errors, path: &Path, mutation: &Mutation, known: &Variables<'static>) {
    let forms = [
        ("ApplyConfiguration", "applyConfiguration", mutation.apply_configuration.as_ref().map(|c| text(&c.expression))),
        ("JSONPatch", "jsonPatch", mutation.json_patch.as_ref().map(|patch| text(&patch.expression))),
    ];
    let type_ = mutation.patch_type.as_str();
    chosen(errors, &path.child("patchType"), type_, &["ApplyConfiguration", "JSONPatch"]);
    if let Some((_, field, given)) = forms.iter().find(|(name, ..)| *name == type_) {
        match given {
            None => errors.required(&path.child(field), format!("must be specified when patchType is {type_}")),
            Some(expression) => {
                let change = if type_ == "JSONPatch" { Change::JsonPatch } else { Change::ApplyConfiguration };
                let wanted = (known, Wanted::Change(change));
                cel::compiled(errors, &path.child(field).child("expression"), expression.trim(), "", wanted);
            }
        }
        for (_, field, _) in forms.iter().filter(|(name, _, given)| *name != type_ && given.is_some()) {
            let why = format!("must not be specified when patchType is {type_}");
            errors.invalid(&path.child(field), format!("{{{field}}}"), why);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::kinds::testing::{create, defaulted};

    #[test]
    fn a_mutation_has_the_form_that_it_names() {
        let rule = json!({"operations": ["DELETE"], "apiGroups": [""], "apiVersions": ["v1"], "resources": ["pods"]});
        let policy = defaulted::<MutatingAdmissionPolicies>(json!({"spec": {
            "matchConstraints": {"resourceRules": [rule]}, "reinvocationPolicy": "Never",
            "mutations": [{"patchType": "JSONPatch", "applyConfiguration": {"expression": "x"}}]}}));
        assert_eq!(
            create::<MutatingAdmissionPolicies>(policy),
            "[spec.matchConstraints.resourceRules.operations: Unsupported value: \"DELETE\": supported values: \"*\", \"CONNECT\", \"CREATE\", \"UPDATE\", \
             spec.mutations[0].jsonPatch: Required value: must be specified when patchType is JSONPatch, \
             spec.mutations[0].applyConfiguration: Invalid value: \"{applyConfiguration}\": must not be specified when patchType is JSONPatch]"
        );
    }
}
