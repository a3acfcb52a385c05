//! The form of CEL rules; what they say is judged by who can read them.

use crate::field::{Errors, Path};
use crate::structural::{Rule, Schema};

const REASONS: [&str; 4] = ["FieldValueDuplicate", "FieldValueForbidden", "FieldValueInvalid", "FieldValueRequired"];

pub(super) fn check(schema: &Schema, path: &Path, errors: &mut Errors) {
    for (index, rule) in schema.rules.iter().enumerate() {
        check_one(rule, &path.child("x-kubernetes-validations").index(index), errors);
        if !rule.field_path.is_empty() && crate::structural::path::find(schema, &rule.field_path).is_err() {
            let at = path.child("x-kubernetes-validations").index(index).child("fieldPath");
            errors.invalid(&at, rule.field_path.as_str(), "must be a valid path");
        }
    }
}

fn check_one(rule: &Rule, path: &Path, errors: &mut Errors) {
    let broken = |text: &str| text.contains(['\n', '\r']);
    let blank = |text: &str| !text.is_empty() && text.trim().is_empty();
    let message = path.child("message");
    if rule.rule.trim().is_empty() {
        errors.required(&path.child("rule"), "rule is not specified");
    } else if blank(&rule.message) {
        errors.invalid(&message, rule.message.as_str(), "must be non-empty if specified");
    } else if broken(rule.message.trim()) {
        errors.invalid(&message, rule.message.as_str(), "must not contain line breaks");
    } else if broken(rule.rule.trim()) && rule.message.trim().is_empty() {
        errors.required(&message, "message must be specified if rule contains line breaks");
    }
    if blank(&rule.message_expression) {
        errors.required(&path.child("messageExpression"), "messageExpression must be non-empty if specified");
    }
    if let Some(reason) = rule.reason.as_deref().filter(|reason| !REASONS.contains(reason)) {
        errors.not_supported(&path.child("reason"), reason, &REASONS);
    }
    let at = path.child("fieldPath");
    if blank(&rule.field_path) {
        errors.invalid(&at, rule.field_path.as_str(), "must be non-empty if specified");
    }
    if broken(&rule.field_path) {
        errors.invalid(&at, rule.field_path.as_str(), "must not contain line breaks");
    }
}
