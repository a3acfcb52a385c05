//! The printed forms of points of time in API objects. The clock itself is always passed in.

use jiff::{Timestamp, Unit};

use crate::kinds::meta::{MicroTime, Time};

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
}
