//! What is done about one token. Days are compared as texts, as the labels carry them.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use nakhoda_api::kinds::core::Secret;

/// The label with the day on which a token was used last.
pub const LAST_USED: &str = "kubernetes.io/legacy-token-last-used";
/// The label with the day since which a token is not good any more.
pub const INVALID_SINCE: &str = "kubernetes.io/legacy-token-invalid-since";

/// What is done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Nothing.
    Keep,
    /// It is not good any more, from this day on.
    Mark(String),
    /// It goes.
    Delete,
}

/// What is known of a token's use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Use<'a> {
    /// The day since which it is noted.
    pub since: Option<&'a str>,
    /// Whether it was made by itself.
    pub is_own: bool,
    /// Whether a pod names its Secret.
    pub is_mounted: bool,
}

/// What is done about a token.
#[must_use]
pub fn step(secret: &Secret, used: Use<'_>, now: Timestamp, unused: SignedDuration) -> Step {
    let Some(since) = used.since.and_then(day) else { return Step::Keep };
    let Ok(edge) = now.checked_sub(unused) else { return Step::Keep };
    let tracked = since.to_zoned(TimeZone::UTC).is_ok_and(|since| tracked_from(since.timestamp()) <= edge);
    let old = secret.metadata.creation_timestamp.as_ref().is_some_and(|made| made.0 < edge);
    if !tracked || !old || !used.is_own || used.is_mounted {
        return Step::Keep;
    }
    let label = |key: &str| secret.metadata.labels.as_ref().and_then(|labels| labels.get(key));
    let edge = date(edge);
    match label(LAST_USED) {
        // what cannot be read may be anything
        Some(last) if day(last).is_none() || *last >= edge => return Step::Keep,
        _ => {}
    }
    match label(INVALID_SINCE).filter(|since| day(since).is_some()) {
        None => Step::Mark(date(now)),
        Some(since) if *since >= edge => Step::Keep,
        Some(_) => Step::Delete,
    }
}

/// The latest moment at which tracking may have begun: the day is told, and clocks differ.
fn tracked_from(day: Timestamp) -> Timestamp {
    day.checked_add(SignedDuration::from_hours(24)).unwrap_or(Timestamp::MAX)
}

fn day(text: &str) -> Option<Date> {
    text.parse().ok()
}

fn date(time: Timestamp) -> String {
    time.to_zoned(TimeZone::UTC).date().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use nakhoda_api::kinds::meta::{ObjectMeta, Time};

    const YEAR: SignedDuration = SignedDuration::from_hours(8760);

    fn secret(made: &str, labels: &[(&str, &str)]) -> Secret {
        let labels = labels.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        let made = Some(Time(made.parse().expect("a time")));
        let metadata = ObjectMeta { creation_timestamp: made, labels: Some(labels), ..ObjectMeta::default() };
        Secret { metadata, ..Secret::default() }
    }

    #[test]
    fn a_token_is_marked_a_year_after_its_last_use_and_goes_a_year_later() {
        let mark = || Step::Mark("2026-06-01".into());
        let (old, used) = ("2020-01-01T00:00:00Z", Use { since: Some("2024-01-01"), is_own: true, is_mounted: false });
        for (made, labels, used, wanted) in [
            (old, &[][..], used, mark()),
            (old, &[(LAST_USED, "2025-05-31")], used, mark()),
            (old, &[(LAST_USED, "2025-06-01")], used, Step::Keep),
            (old, &[(LAST_USED, "long ago")], used, Step::Keep),
            (old, &[(INVALID_SINCE, "2025-05-31")], used, Step::Delete),
            (old, &[(INVALID_SINCE, "2025-06-01")], used, Step::Keep),
            (old, &[(INVALID_SINCE, "whenever")], used, mark()),
            ("2025-12-01T00:00:00Z", &[], used, Step::Keep),
            (old, &[], Use { since: Some("2025-06-01"), ..used }, Step::Keep),
            (old, &[], Use { since: None, ..used }, Step::Keep),
            (old, &[], Use { is_own: false, ..used }, Step::Keep),
            (old, &[], Use { is_mounted: true, ..used }, Step::Keep),
        ] {
            let now = "2026-06-01T12:00:00Z".parse().expect("a time");
            assert_eq!(step(&secret(made, labels), used, now, YEAR), wanted, "{made} {labels:?} {used:?}");
        }
    }
}
