//! `successPolicy`: which numbers, or how many, have to succeed.

use nakhoda_api::field::{Errors, Path};
use nakhoda_api::kinds::batch::{JobSpec, SuccessPolicy, SuccessPolicyRule};

use super::{indexes, is_indexed};
use crate::rules::check::nonnegative;

const MOST_RULES: usize = 20;
const LONGEST: usize = 64 * 1024;

/// All rules.
pub(super) fn validate(errors: &mut Errors, path: &Path, policy: &SuccessPolicy, spec: &JobSpec) {
    if !is_indexed(spec) {
        let shown = serde_json::to_value(policy).unwrap_or_default();
        return errors.invalid(path, shown, "requires indexed completion mode");
    }
    let at = path.child("rules");
    if policy.rules.is_empty() {
        errors.required(&at, "at least one rules must be specified when the successPolicy is specified");
    }
    if policy.rules.len() > MOST_RULES {
        errors.too_many(&at, policy.rules.len(), MOST_RULES);
    }
    for (i, one) in policy.rules.iter().enumerate() {
        rule(errors, &at.index(i), one, spec.completions.unwrap_or(0));
    }
}

fn rule(errors: &mut Errors, path: &Path, rule: &SuccessPolicyRule, completions: i32) {
    if rule.succeeded_count.is_none() && rule.succeeded_indexes.is_none() {
        errors.required(path, "at least one of succeededCount or succeededIndexes must be specified");
    }
    let mut total = None;
    if let Some(text) = &rule.succeeded_indexes {
        let at = path.child("succeededIndexes");
        if text.len() > LONGEST {
            errors.too_long(&at, LONGEST);
        }
        let counted = indexes::count(text, completions);
        total = Some(counted.clone().unwrap_or(0));
        if let Err(why) = counted {
            errors.invalid(&at, text.as_str(), format!("error parsing succeededIndexes: {why}"));
        }
    }
    let Some(count) = rule.succeeded_count else { return };
    let at = path.child("succeededCount");
    nonnegative(errors, &at, Some(count));
    if count > completions {
        let why = format!("must be less than or equal to {completions} (the number of specified completions)");
        errors.invalid(&at, count, why);
    }
    if let Some(total) = total.filter(|total| i64::from(count) > *total) {
        let why = format!(
            "must be less than or equal to {total} (the number of indexes in the specified succeededIndexes field)"
        );
        errors.invalid(&at, count, why);
    }
}
