//! The printed forms of points and spans of time in API objects. The clock itself is always passed in.

use jiff::{Timestamp, Unit};

use crate::kinds::meta::{MicroTime, Time};
use crate::wire::text;

/// As `metadata.creationTimestamp` prints it: whole seconds, UTC.
#[must_use]
pub fn now_rfc3339(now: Timestamp) -> String {
    now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// As Leases print it: always six digits behind the seconds.
#[must_use]
pub fn now_micro(now: Timestamp) -> String {
    now.strftime("%Y-%m-%dT%H:%M:%S.%6fZ").to_string()
}

/// A typed time; like the printed one it has whole seconds.
#[must_use]
pub fn time(now: Timestamp) -> Time {
    Time(Timestamp::from_second(now.as_second()).unwrap_or(now))
}

/// A typed time with microseconds.
#[must_use]
pub fn micro_time(now: Timestamp) -> MicroTime {
    MicroTime(now.round(jiff::TimestampRound::new().smallest(Unit::Microsecond)).unwrap_or(now))
}

/// A duration as Go writes it: `1m30s`.
#[must_use]
pub fn go_duration(nanos: i64) -> String {
    text::print_duration(nanos)
}

/// The nanoseconds of a duration as Go writes it.
pub fn parse_go_duration(text: &str) -> Result<i64, String> {
    text::nanos(text)
}

/// The time since `then` as kubectl prints it, `<unknown>` without one
/// (`k8s.io/apimachinery/pkg/util/duration.HumanDuration`).
#[must_use]
pub fn since(then: Option<Timestamp>, now: Timestamp) -> String {
    let Some(then) = then else { return "<unknown>".into() };
    human(now.as_second() - then.as_second())
}

/// Seconds as kubectl prints them: two units while the first is small.
#[must_use]
pub fn human(seconds: i64) -> String {
    let (minutes, hours) = (seconds / 60, seconds / 3600);
    let pair = |n: i64, unit: &str, rest: i64, small: &str| match rest {
        0 => format!("{n}{unit}"),
        rest => format!("{n}{unit}{rest}{small}"),
    };
    match seconds {
        ..=-2 => "<invalid>".into(),
        -1..=0 => "0s".into(),
        1..=119 => format!("{seconds}s"),
        120..=599 => pair(minutes, "m", seconds % 60, "s"),
        600..=10_799 => format!("{minutes}m"),
        10_800..=28_799 => pair(hours, "h", minutes % 60, "m"),
        28_800..=172_799 => format!("{hours}h"),
        172_800..=691_199 => pair(hours / 24, "d", hours % 24, "h"),
        691_200..=63_071_999 => format!("{}d", hours / 24),
        63_072_000..=252_287_999 => pair(hours / 24 / 365, "y", (hours / 24) % 365, "d"),
        _ => format!("{}y", hours / 24 / 365),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_and_microseconds_print_as_in_go() {
        let now: Timestamp = "2026-01-02T03:04:05.6Z".parse().expect("a time");
        assert_eq!(now_rfc3339(now), "2026-01-02T03:04:05Z");
        assert_eq!(now_micro(now), "2026-01-02T03:04:05.600000Z");
        assert_eq!(time(now).0.to_string(), "2026-01-02T03:04:05Z");
    }

    #[test]
    fn durations_print_as_kubectl_prints_them() {
        let cases =
            [(0, "0s"), (119, "119s"), (120, "2m"), (125, "2m5s"), (601, "10m"), (10_800, "3h"), (11_000, "3h3m")];
        for (seconds, text) in cases {
            assert_eq!(human(seconds), text);
        }
        assert_eq!(human(172_800), "2d");
        assert_eq!(human(691_200), "8d");
    }
}
