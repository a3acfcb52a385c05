//! PriorityLevelConfiguration: how many requests run at a time, and how many wait.

use nakhoda_api::Scope;
use nakhoda_api::field::{Errors, Path};
use nakhoda_api::kinds::flowcontrol::{
    LimitResponse, LimitedPriorityLevelConfiguration, PriorityLevelConfiguration, PriorityLevelConfigurationSpec,
    QueuingConfiguration,
};
use serde_json::Value;

use super::flow_schema::types;
use crate::bootstrap::flow;
use crate::kind::{Columns, Cx, Info, Kind, STATUS, STATUS_ONLY};
use crate::rules::check::{keep_metadata, keep_status, list, same};

/// The kind.
pub struct PriorityLevelConfigurations;

const SHARES: i32 = 30;
const QUEUES: i32 = 64;
const HAND: i32 = 8;
const LENGTH: i32 = 50;
const QUEUES_MAX: i32 = 10_000_000;
/// So many bits a flow's hash has for its hand of queues.
const ENTROPY_MAX: u32 = 60;

impl Kind for PriorityLevelConfigurations {
    type Object = PriorityLevelConfiguration;

    fn info() -> Info {
        let (plural, singular) = ("prioritylevelconfigurations", "prioritylevelconfiguration");
        Info {
            subresources: &[STATUS],
            resets: STATUS_ONLY,
            generation: true,
            ..Info::of::<PriorityLevelConfiguration>(plural, singular, Scope::Cluster)
        }
    }

    fn default(level: &mut PriorityLevelConfiguration) {
        if let Some(exempt) = &mut level.spec.exempt {
            exempt.nominal_concurrency_shares.get_or_insert(0);
            exempt.lendable_percent.get_or_insert(0);
        }
        let Some(limited) = &mut level.spec.limited else { return };
        limited.nominal_concurrency_shares.get_or_insert(SHARES);
        limited.lendable_percent.get_or_insert(0);
        if let Some(queuing) = &mut limited.limit_response.queuing {
            for (field, default) in
                [(&mut queuing.hand_size, HAND), (&mut queuing.queues, QUEUES), (&mut queuing.queue_length_limit, LENGTH)]
            {
                *field = field.filter(|n| *n != 0).or(Some(default));
            }
        }
    }

    fn prepare(cx: &Cx, new: &mut PriorityLevelConfiguration, old: Option<&PriorityLevelConfiguration>) {
        keep_status(cx, &mut new.status, old.map(|old| &old.status));
        keep_metadata(cx, &mut new.metadata, old.map(|old| &old.metadata));
    }

    fn validate(cx: &Cx, new: &Self::Object, _: Option<&Self::Object>, errors: &mut Errors) {
        if cx.subresource.is_empty() {
            let name = new.metadata.name.as_deref().unwrap_or_default();
            spec(errors, &Path::new("spec"), name, &new.spec);
            fixed(errors, name, &new.spec);
        }
        let conditions = new.status.as_ref().map(|status| list(&status.conditions)).unwrap_or_default();
        types(errors, conditions.iter().map(|condition| condition.type_.as_str()));
    }

    fn columns() -> Columns<PriorityLevelConfiguration> {
        Columns::<PriorityLevelConfiguration>::named()
            .text("Type", |l, _| l.spec.type_.clone().into())
            .text("NominalConcurrencyShares", |l, _| {
                number(l.spec.limited.as_ref().and_then(|limited| limited.nominal_concurrency_shares))
            })
            .text("Queues", |l, _| number(queuing(l).and_then(|q| q.queues)))
            .text("HandSize", |l, _| number(queuing(l).and_then(|q| q.hand_size)))
            .text("QueueLengthLimit", |l, _| number(queuing(l).and_then(|q| q.queue_length_limit)))
            .age()
    }
}

fn number(value: Option<i32>) -> Value {
    value.map_or_else(|| "<none>".into(), Into::into)
}

fn queuing(level: &PriorityLevelConfiguration) -> Option<&QueuingConfiguration> {
    level.spec.limited.as_ref()?.limit_response.queuing.as_ref()
}

fn spec(errors: &mut Errors, path: &Path, name: &str, spec: &PriorityLevelConfigurationSpec) {
    let (at, type_) = (path.child("type"), spec.type_.as_str());
    if (name == flow::EXEMPT) != (type_ == "Exempt") {
        errors.invalid(&at, type_, "must be 'Exempt' if and only if `name` is 'exempt'");
    }
    match (type_, &spec.limited) {
        ("Exempt", limited) => {
            if limited.is_some() {
                errors.forbidden(&path.child("limited"), "must be nil if the type is not Limited");
            }
            let Some(exempt) = &spec.exempt else { return };
            let at = path.child("exempt");
            shares(errors, &at, exempt.nominal_concurrency_shares);
            percent(errors, &at, exempt.lendable_percent);
        }
        ("Limited", given) => {
            if spec.exempt.is_some() {
                errors.forbidden(&path.child("exempt"), "must be nil if the type is Limited");
            }
            match given {
                Some(given) => limited(errors, &path.child("limited"), given),
                None => errors.required(&path.child("limited"), "must not be empty when type is Limited"),
            }
        }
        _ => errors.not_supported(&at, type_, &["Exempt", "Limited"]),
    }
}

fn limited(errors: &mut Errors, path: &Path, limited: &LimitedPriorityLevelConfiguration) {
    shares(errors, path, limited.nominal_concurrency_shares);
    response(errors, &path.child("limitResponse"), &limited.limit_response);
    percent(errors, path, limited.lendable_percent);
    if let Some(limit) = limited.borrowing_limit_percent.filter(|limit| *limit < 0) {
        let at = path.child("borrowingLimitPercent");
        errors.invalid(&at, limit, "if specified, must be a non-negative integer");
    }
}

fn shares(errors: &mut Errors, path: &Path, shares: Option<i32>) {
    if let Some(shares) = shares.filter(|shares| *shares < 0) {
        errors.invalid(&path.child("nominalConcurrencyShares"), shares, "must be a non-negative integer");
    }
}

fn percent(errors: &mut Errors, path: &Path, percent: Option<i32>) {
    if let Some(percent) = percent.filter(|percent| !(0..=100).contains(percent)) {
        errors.invalid(&path.child("lendablePercent"), percent, "must be between 0 and 100, inclusive");
    }
}

fn response(errors: &mut Errors, path: &Path, response: &LimitResponse) {
    let at = path.child("queuing");
    match (response.type_.as_str(), &response.queuing) {
        ("Reject", Some(_)) => {
            errors.forbidden(&at, "must be nil if limited.limitResponse.type is not Limited");
        }
        ("Queue", None) => errors.required(&at, "must not be empty if limited.limitResponse.type is Limited"),
        ("Queue", Some(given)) => queues(errors, &at, given),
        ("Reject", None) => {}
        (other, _) => errors.not_supported(&path.child("type"), other, &["Queue", "Reject"]),
    }
}

fn queues(errors: &mut Errors, path: &Path, given: &QueuingConfiguration) {
    let of = |field: Option<i32>| field.unwrap_or(0);
    let (queues, hand, length) = (of(given.queues), of(given.hand_size), of(given.queue_length_limit));
    if length <= 0 {
        errors.invalid(&path.child("queueLengthLimit"), length, "must be positive");
    }
    if queues <= 0 {
        errors.invalid(&path.child("queues"), queues, "must be positive");
    } else if queues > QUEUES_MAX {
        errors.invalid(&path.child("queues"), queues, format!("must not be greater than {QUEUES_MAX}"));
    }
    let at = path.child("handSize");
    if hand <= 0 {
        errors.invalid(&at, hand, "must be positive");
    } else if hand > queues {
        errors.invalid(&at, hand, format!("should not be greater than queues ({queues})"));
    } else if entropy(queues, hand) > ENTROPY_MAX {
        let why = format!(
            "required entropy bits of deckSize {queues} and handSize {hand} should not be greater than {ENTROPY_MAX}"
        );
        errors.invalid(&at, hand, why);
    }
}

/// How many bits tell one hand of so many cards from another.
fn entropy(deck: i32, hand: i32) -> u32 {
    let bits: f64 = (0..hand).map(|dealt| f64::from(deck - dealt).log2()).sum();
    // a hand is at most as long as the sum of its bits is finite
    bits.ceil() as u32
}

fn fixed(errors: &mut Errors, name: &str, spec: &PriorityLevelConfigurationSpec) {
    let Some(mut wanted) = flow::mandatory_level(name).map(|level| level.spec) else { return };
    let mut but = "";
    if name == flow::EXEMPT {
        wanted.exempt.clone_from(&spec.exempt);
        but = " except the 'spec.exempt' field";
    }
    if !same(&wanted, spec) {
        let value = serde_json::to_value(spec).unwrap_or_default();
        errors.invalid(&Path::new("spec"), value, format!("spec of '{name}'{but} must equal the fixed value"));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::kinds::testing::{create, defaulted, row};

    #[test]
    fn queues_are_completed_and_shown() {
        let level = defaulted::<PriorityLevelConfigurations>(json!({"metadata": {"name": "a"}, "spec": {
            "type": "Limited", "limited": {"limitResponse": {"type": "Queue", "queuing": {"queues": 16}}}}}));
        assert_eq!(row::<PriorityLevelConfigurations>(level)[1..6], [json!("Limited"), json!(30), json!(16), json!(8), json!(50)]);
    }

    #[test]
    fn what_every_cluster_has_is_valid_and_the_mandatory_fixed() {
        for seed in flow::levels() {
            let value = serde_json::to_value(seed).expect("JSON");
            assert_eq!(create::<PriorityLevelConfigurations>(value), "", "{:?}", seed.metadata.name);
        }
        let mut level = serde_json::to_value(flow::mandatory_level("catch-all")).expect("JSON");
        level["spec"]["limited"]["nominalConcurrencyShares"] = 6.into();
        assert!(create::<PriorityLevelConfigurations>(level).ends_with("spec of 'catch-all' must equal the fixed value"));
    }

    #[test]
    fn a_hand_has_no_more_bits_than_a_hash() {
        assert_eq!(entropy(128, 6), 42);
        assert!(entropy(1024, 7) > ENTROPY_MAX);
    }
}
