//! ValidatingAdmissionPolicy: expressions that may refuse requests.

use nakhoda_api::Scope;
use nakhoda_api::cel::Variables;
use nakhoda_api::field::{Errors, Path};
use nakhoda_api::kinds::admissionregistration::{
    AuditAnnotation, ValidatingAdmissionPolicy, ValidatingAdmissionPolicySpec, ValidatingAdmissionPolicyStatus, Validation,
};

use crate::kind::{Columns, Cx, Info, Kind, STATUS, STATUS_ONLY};
use crate::rules::admission::{self, FAILURE};
use crate::rules::cel::{self, Wanted};
use crate::rules::check::{keep_metadata, keep_status, list, picked, qualified, required, supported, text};
use crate::rules::defaults::fill_absent;

/// The kind.
pub struct ValidatingAdmissionPolicies;

const ANNOTATIONS_MAX: usize = 20;
const EXPRESSION_MAX: usize = 5 * 1024;
const REASONS: &[&str] = &["Forbidden", "Invalid", "RequestEntityTooLarge"];

impl Kind for ValidatingAdmissionPolicies {
    type Object = ValidatingAdmissionPolicy;

    fn info() -> Info {
        let (plural, singular) = ("validatingadmissionpolicies", "validatingadmissionpolicy");
        Info {
            categories: &["api-extensions"],
            subresources: &[STATUS],
            resets: STATUS_ONLY,
            generation: true,
            unconditional_update: false,
            ..Info::of::<ValidatingAdmissionPolicy>(plural, singular, Scope::Cluster)
        }
    }

    fn default(policy: &mut ValidatingAdmissionPolicy) {
        let spec = policy.spec.get_or_insert_default();
        fill_absent(&mut spec.failure_policy, "Fail");
        spec.match_constraints.iter_mut().for_each(admission::default_resources);
    }

    fn prepare(cx: &Cx, new: &mut Self::Object, old: Option<&Self::Object>) {
        keep_status(cx, &mut new.status, old.map(|old| &old.status));
        keep_metadata(cx, &mut new.metadata, old.map(|old| &old.metadata));
    }

    fn validate(cx: &Cx, new: &Self::Object, _: Option<&Self::Object>, errors: &mut Errors) {
        if cx.subresource == "status" {
            return status(errors, new.status.as_ref());
        }
        let none = ValidatingAdmissionPolicySpec::default();
        spec(errors, &Path::new("spec"), text(&new.metadata.name), new.spec.as_ref().unwrap_or(&none));
    }

    fn columns() -> Columns<ValidatingAdmissionPolicy> {
        Columns::<ValidatingAdmissionPolicy>::named()
            .number("Validations", |p, _| p.spec.as_ref().map_or(0, |spec| list(&spec.validations).len()).into())
            .text("ParamKind", |p, _| {
                admission::shown_kind(p.spec.as_ref().and_then(|spec| spec.param_kind.as_ref())).into()
            })
            .age()
    }
}

fn spec(errors: &mut Errors, path: &Path, name: &str, spec: &ValidatingAdmissionPolicySpec) {
    picked(errors, &path.child("failurePolicy"), spec.failure_policy.as_ref(), FAILURE);
    if let Some(kind) = &spec.param_kind {
        admission::param_kind(errors, &path.child("paramKind"), kind);
    }
    admission::constraints(errors, &path.child("matchConstraints"), spec.match_constraints.as_ref());
    let params = spec.param_kind.is_some();
    admission::conditions(errors, &path.child("matchConditions"), list(&spec.match_conditions), params);
    let known = &admission::variables(errors, &path.child("variables"), list(&spec.variables), params);
    let (validations, annotations) = (list(&spec.validations), list(&spec.audit_annotations));
    if validations.is_empty() && annotations.is_empty() {
        for field in ["validations", "auditAnnotations"] {
            errors.required(&path.child(field), "validations or auditAnnotations must contain at least one item");
        }
    }
    for (i, one) in validations.iter().enumerate() {
        validation(errors, &path.child("validations").index(i), one, known);
    }
    self::annotations(errors, &path.child("auditAnnotations"), (name, known), annotations);
}

fn validation(errors: &mut Errors, path: &Path, validation: &Validation, known: &Variables<'static>) {
    let wanted = (known, Wanted::Bool);
    let missing = "expression is not specified";
    cel::compiled(errors, &path.child("expression"), &validation.expression, missing, wanted);
    let (expression, message) = (text(&validation.message_expression), text(&validation.message));
    let empty = "must be non-empty if specified";
    if !expression.is_empty() && expression.trim().is_empty() {
        errors.invalid(&path.child("messageExpression"), expression, empty);
    } else if !expression.is_empty() {
        let wanted = (known, Wanted::Text);
        cel::compiled(errors, &path.child("messageExpression"), expression, "", wanted);
    }
    if !message.is_empty() && message.trim().is_empty() {
        errors.invalid(&path.child("message"), message, empty);
    } else if message.trim().contains(['\n', '\r']) {
        errors.invalid(&path.child("message"), message, "must not contain line breaks");
    }
    if let Some(reason) = &validation.reason {
        supported(errors, &path.child("reason"), reason, REASONS);
    }
}

fn annotations(
    errors: &mut Errors,
    path: &Path,
    (policy, known): (&str, &Variables<'static>),
    annotations: &[AuditAnnotation],
) {
    if annotations.len() > ANNOTATIONS_MAX {
        let value = serde_json::to_value(annotations).unwrap_or_default();
        errors.invalid(path, value, format!("must not have more than {ANNOTATIONS_MAX} auditAnnotations"));
    }
    for (i, one) in annotations.iter().enumerate() {
        let at = path.index(i);
        qualified(errors, &at.child("key"), &format!("{policy}/{}", one.key));
        let value = at.child("valueExpression");
        if one.value_expression.trim().len() > EXPRESSION_MAX {
            errors.required(&value, format!("must not exceed {EXPRESSION_MAX} bytes in length"));
        } else {
            let wanted = (known, Wanted::TextOrNull);
            cel::compiled(errors, &value, one.value_expression.trim(), "valueExpression is not specified", wanted);
        }
        if annotations[..i].iter().any(|other| other.key == one.key) {
            errors.duplicate(&at.child("key"), one.key.as_str());
        }
    }
}

fn status(errors: &mut Errors, status: Option<&ValidatingAdmissionPolicyStatus>) {
    let warnings = status.and_then(|status| status.type_checking.as_ref()).map(|checked| list(&checked.expression_warnings));
    let path = Path::new("status.typeChecking.expressionWarnings");
    for (i, one) in warnings.unwrap_or_default().iter().enumerate() {
        required(errors, &path.index(i).child("warning"), &one.warning);
        required(errors, &path.index(i).child("fieldRef"), one.field_ref.trim());
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::kinds::testing::{create, defaulted};

    #[test]
    fn a_policy_says_what_it_matches_and_what_holds() {
        let rule = json!({"operations": ["CREATE"], "apiGroups": [""], "apiVersions": ["v1"], "resources": ["pods"]});
        let policy = defaulted::<ValidatingAdmissionPolicies>(json!({"metadata": {"name": "a"}, "spec": {
            "matchConstraints": {"resourceRules": [rule]}, "validations": [{"expression": "true"}]}}));
        assert_eq!(policy["spec"]["matchConstraints"]["matchPolicy"], "Equivalent");
        assert_eq!(create::<ValidatingAdmissionPolicies>(policy), "");
        assert_eq!(
            create::<ValidatingAdmissionPolicies>(json!({"metadata": {"name": "a"}, "spec": {"failurePolicy": "Fail"}})),
            "[spec.matchConstraints: Required value, \
             spec.validations: Required value: validations or auditAnnotations must contain at least one item, \
             spec.auditAnnotations: Required value: validations or auditAnnotations must contain at least one item]"
        );
    }

    #[test]
    fn a_variable_has_the_type_of_its_expression() {
        let variables = [
            json!({"name": "replicas", "expression": "object.spec.replicas"}),
            json!({"name": "odd", "expression": "variables.replicas % 2 == 1"}),
        ];
        let told = |expression: &str| {
            create::<ValidatingAdmissionPolicies>(json!({"metadata": {"name": "a"}, "spec": {
                "failurePolicy": "Fail", "variables": variables, "validations": [{"expression": expression}],
                "matchConstraints": {"matchPolicy": "Exact", "namespaceSelector": {}, "objectSelector": {},
                    "resourceRules": [{"apiGroups": [""], "apiVersions": ["v1"], "resources": ["pods"],
                        "operations": ["CREATE"], "scope": "*"}]}}}))
        };
        assert_eq!(told("variables.odd"), "");
        assert!(told("variables.replicas").contains("must evaluate to bool but got dyn"));
        assert!(told("variables.even").contains("undefined field 'even'"));
    }
}
