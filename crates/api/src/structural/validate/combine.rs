//! `anyOf`, `oneOf`, `allOf` and `not`.

use serde_json::Value;

use super::{Outcome, Place};

pub(super) fn check(place: Place<'_>, value: &Value) -> Outcome {
    let mut outcome = Outcome::default();
    any(place, value, &mut outcome);
    one(place, value, &mut outcome);
    all(place, value, &mut outcome);
    if let Some(schema) = &place.schema.not
        && (Place { schema, ..place }).checked(value).is_valid()
    {
        outcome.whole(format!("{:?} must not validate the schema (not)", place.path));
    }
    outcome.matches += 1;
    outcome
}

fn any(place: Place<'_>, value: &Value, outcome: &mut Outcome) {
    if place.schema.any_of.is_empty() {
        return;
    }
    let mut best: Option<Outcome> = None;
    for schema in &place.schema.any_of {
        let tried = Place { schema, ..place }.checked(value);
        if tried.is_valid() {
            return outcome.merge(tried);
        }
        keep_best(&mut best, tried);
    }
    outcome.whole(format!("{:?} must validate at least one schema (anyOf)", place.path));
    best.into_iter().for_each(|best| outcome.merge(best));
}

fn one(place: Place<'_>, value: &Value, outcome: &mut Outcome) {
    if place.schema.one_of.is_empty() {
        return;
    }
    let mut best: Option<Outcome> = None;
    let (mut first, mut valid) = (None, 0);
    for schema in &place.schema.one_of {
        let tried = Place { schema, ..place }.checked(value);
        if tried.is_valid() {
            valid += 1;
            best = None;
            first.get_or_insert(tried);
        } else if valid == 0 {
            keep_best(&mut best, tried);
        }
    }
    if valid == 1 {
        return first.into_iter().for_each(|first| outcome.merge(first));
    }
    let found = if valid == 0 { "Found none valid".into() } else { format!("Found {valid} valid alternatives") };
    outcome.whole(format!("{:?} must validate one and only one schema (oneOf). {found}", place.path));
    best.into_iter().for_each(|best| outcome.merge(best));
}

fn all(place: Place<'_>, value: &Value, outcome: &mut Outcome) {
    let schemas = &place.schema.all_of;
    let mut valid = 0;
    for schema in schemas {
        let tried = Place { schema, ..place }.checked(value);
        valid += usize::from(tried.is_valid());
        outcome.merge(tried);
    }
    if valid != schemas.len() {
        let none = if valid == 0 { ". None validated" } else { "" };
        outcome.whole(format!("{:?} must validate all the schemas (allOf){none}", place.path));
    }
}

fn keep_best(best: &mut Option<Outcome>, tried: Outcome) {
    if best.as_ref().is_none_or(|best| tried.matches > best.matches) {
        *best = Some(tried);
    }
}
