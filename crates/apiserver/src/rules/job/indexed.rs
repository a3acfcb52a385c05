//! Jobs whose completions have numbers: how many there may be, and what only they may say.

use nakhoda_api::field::{Errors, Path};
use nakhoda_api::kinds::batch::JobSpec;

use super::is_indexed;
use crate::rules::check::{supported, text};

/// The most that may run, or fail, at a time: the numbers are listed in the status.
const MOST: i32 = 100_000;
/// The same if there are more completions than that.
const MOST_OF_MANY: i32 = 10_000;

/// `completionMode`, and what depends on it.
pub(super) fn validate(errors: &mut Errors, path: &Path, spec: &JobSpec) {
    if let Some(mode) = &spec.completion_mode {
        supported(errors, &path.child("completionMode"), mode, &["NonIndexed", "Indexed"]);
    }
    if is_indexed(spec) {
        numbered(errors, path, spec);
    } else if ["", "NonIndexed"].contains(&text(&spec.completion_mode)) {
        let numbers =
            [("backoffLimitPerIndex", spec.backoff_limit_per_index), ("maxFailedIndexes", spec.max_failed_indexes)];
        for (field, number) in numbers.into_iter().filter_map(|(field, number)| Some((field, number?))) {
            errors.invalid(&path.child(field), number, "requires indexed completion mode");
        }
    }
}

fn numbered(errors: &mut Errors, path: &Path, spec: &JobSpec) {
    let (failed, parallelism) = (path.child("maxFailedIndexes"), path.child("parallelism"));
    let Some(completions) = spec.completions else {
        errors.required(&path.child("completions"), "when completion mode is Indexed");
        return at_most(errors, path, spec);
    };
    at_most(errors, path, spec);
    if let Some(max) = spec.max_failed_indexes.filter(|max| *max > completions) {
        errors.invalid(&failed, max, "must be less than or equal to completions");
    }
    if let Some(max) = spec.max_failed_indexes.filter(|max| *max > MOST) {
        errors.invalid(&failed, max, format!("must be less than or equal to {MOST}"));
    }
    if completions <= MOST || spec.backoff_limit_per_index.is_none() {
        return;
    }
    if spec.max_failed_indexes.is_none() {
        errors.required(&failed, format!("must be specified when completions is above {MOST}"));
    }
    for (at, number) in [(parallelism, spec.parallelism), (failed, spec.max_failed_indexes)] {
        if let Some(number) = number.filter(|n| *n > MOST_OF_MANY) {
            let why = format!(
                "must be less than or equal to {MOST_OF_MANY} when completions are above {MOST} and used with backoff limit per index"
            );
            errors.invalid(&at, number, why);
        }
    }
}

fn at_most(errors: &mut Errors, path: &Path, spec: &JobSpec) {
    if let Some(number) = spec.parallelism.filter(|n| *n > MOST) {
        let why = format!("must be less than or equal to {MOST} when completion mode is Indexed");
        errors.invalid(&path.child("parallelism"), number, why);
    }
}
