//! Points and spans of time.

use jiff::civil::Weekday;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::super::eval::{Budget, RunError};
use super::super::value::Val;
use super::Outcome;

pub(super) fn call<'a>(name: &str, with: &[Val<'a>], _: &mut Budget) -> Option<Outcome<'a>> {
    let out = || RunError::Other("timestamp overflow".into());
    Some(match (name, with) {
        ("timestamp", [Val::Time(_)]) | ("duration", [Val::Duration(_)]) => Ok(with[0].clone()),
        ("timestamp", [Val::Int(seconds)]) => Timestamp::from_second(*seconds).map(Val::Time).map_err(|_| out()),
        ("timestamp", [Val::Text(text)]) => {
            let why = |error: jiff::Error| {
                RunError::Other(format!("type conversion error from 'string' to 'google.protobuf.Timestamp': {error}"))
            };
            text.parse().map(Val::Time).map_err(why)
        }
        ("duration", [Val::Text(text)]) => {
            let why = || {
                RunError::Other(format!(
                    "type conversion error from 'string' to 'google.protobuf.Duration': time: invalid duration {text:?}"
                ))
            };
            duration(text).map(Val::Duration).ok_or_else(why)
        }
        ("_+_", [Val::Time(time), Val::Duration(span)] | [Val::Duration(span), Val::Time(time)]) => {
            time.checked_add(*span).map(Val::Time).map_err(|_| out())
        }
        ("_-_", [Val::Time(time), Val::Duration(span)]) => time.checked_sub(*span).map(Val::Time).map_err(|_| out()),
        ("_-_", [Val::Time(a), Val::Time(b)]) => Ok(Val::Duration(a.duration_since(*b))),
        ("_+_", [Val::Duration(a), Val::Duration(b)]) => a.checked_add(*b).map(Val::Duration).ok_or_else(out),
        ("_-_", [Val::Duration(a), Val::Duration(b)]) => a.checked_sub(*b).map(Val::Duration).ok_or_else(out),
        (name, [Val::Duration(span)]) => Ok(Val::Int(match name {
            "getHours" => span.as_hours(),
            "getMinutes" => span.as_mins(),
            "getSeconds" => span.as_secs(),
            "getMilliseconds" => i64::try_from(span.as_millis()).ok()?,
            _ => return None,
        })),
        (name, [Val::Time(time)]) => Ok(Val::Int(part(name, *time, TimeZone::UTC)?)),
        (name, [Val::Time(time), Val::Text(zone)]) => match self::zone(zone) {
            Some(zone) => Ok(Val::Int(part(name, *time, zone)?)),
            None => Err(RunError::Other(format!("unknown time zone {zone}"))),
        },
        _ => return None,
    })
}

fn part(name: &str, time: Timestamp, zone: TimeZone) -> Option<i64> {
    let time = time.to_zoned(zone);
    Some(match name {
        "getFullYear" => time.year().into(),
        "getMonth" => i64::from(time.month()) - 1,
        "getDayOfMonth" => i64::from(time.day()) - 1,
        "getDate" => time.day().into(),
        "getDayOfWeek" => match time.weekday() {
            Weekday::Sunday => 0,
            day => day.to_monday_one_offset().into(),
        },
        "getDayOfYear" => i64::from(time.day_of_year()) - 1,
        "getHours" => time.hour().into(),
        "getMinutes" => time.minute().into(),
        "getSeconds" => time.second().into(),
        "getMilliseconds" => time.millisecond().into(),
        _ => return None,
    })
}

/// A zone by its name, or as `+01:00`.
fn zone(text: &str) -> Option<TimeZone> {
    let Some((hours, minutes)) = text.split_once(':') else { return TimeZone::get(text).ok() };
    let hours: i32 = hours.parse().ok()?;
    let minutes: i32 = minutes.parse().ok()?;
    let seconds = hours * 3600 + minutes * 60 * if text.starts_with('-') { -1 } else { 1 };
    jiff::tz::Offset::from_seconds(seconds).ok().map(TimeZone::fixed)
}

/// A span as Go writes it: `1h30m`, `-1.5s`.
#[must_use]
pub(in crate::cel) fn duration(text: &str) -> Option<SignedDuration> {
    const UNITS: [(&str, f64); 8] =
        [("ns", 1.0), ("us", 1e3), ("µs", 1e3), ("μs", 1e3), ("ms", 1e6), ("s", 1e9), ("m", 60e9), ("h", 3600e9)];
    let (negative, mut rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    if rest == "0" {
        return Some(SignedDuration::ZERO);
    }
    let mut total: i128 = 0;
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.').filter(|end| *end > 0)?;
        let end = rest[digits..].find(|c: char| c.is_ascii_digit() || c == '.').map_or(rest.len(), |end| end + digits);
        let (_, nanos) = UNITS.iter().find(|(unit, _)| *unit == &rest[digits..end])?;
        #[allow(clippy::cast_possible_truncation, reason = "as exact as a float of nanoseconds is")]
        match rest[..digits].parse::<i64>() {
            Ok(whole) => total += i128::from(whole) * (*nanos as i128),
            Err(_) => total += (rest[..digits].parse::<f64>().ok()? * nanos).round() as i128,
        }
        rest = &rest[end..];
    }
    let total = if negative { -total } else { total };
    Some(SignedDuration::from_nanos(i64::try_from(total).ok()?))
}

/// A span as `string()` makes it: in seconds.
#[must_use]
pub(in crate::cel) fn printed(span: SignedDuration) -> String {
    format!("{}s", crate::structural::go::float(span.as_secs_f64()))
}
