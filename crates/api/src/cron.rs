//! The schedules of CronJobs: five fields, or `@daily` and its like, or `@every 1h30m`; with the faults' texts that
//! clients know from upstream. When a schedule fires next is computed on the clock of its time zone: an hour that a
//! change of the clocks skips fires nothing, one that it repeats fires twice.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, Zoned};

use crate::wire::text::nanos;

mod field;
pub mod zone;

use field::{DAY_OF_MONTH, DAY_OF_WEEK, HOUR, MINUTE, MONTH, Set};

/// Schedules that do not fire within so many years never do.
const YEARS: i16 = 5;

/// When something is to happen, again and again.
#[derive(Clone, Debug)]
pub struct Schedule {
    rule: Rule,
    zone: Option<TimeZone>,
}

#[derive(Clone, Debug)]
enum Rule {
    /// Minute, hour, day of the month, month, day of the week.
    Fields([Set; 5]),
    Every(SignedDuration),
}

/// Why a text is no schedule.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Invalid(String);

// === impl Schedule ===

impl Schedule {
    /// Reads a schedule.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        if text.is_empty() {
            return Err(Invalid("empty spec string".into()));
        }
        let (zone, rest) = split_zone(text)?;
        if rest.starts_with('@') {
            return Ok(Self { rule: named(rest)?, zone });
        }
        let given: Vec<_> = rest.split_whitespace().collect();
        let &[minute, hour, day, month, weekday] = given.as_slice() else {
            let text = format!("expected exactly 5 fields, found {}: [{}]", given.len(), given.join(" "));
            return Err(Invalid(text));
        };
        let fields = [
            MINUTE.read(minute)?,
            HOUR.read(hour)?,
            DAY_OF_MONTH.read(day)?,
            MONTH.read(month)?,
            DAY_OF_WEEK.read(weekday)?,
        ];
        Ok(Self { rule: Rule::Fields(fields), zone })
    }

    /// The first time after `after`; `None` if there is none in the next years. A zone that the schedule names itself
    /// goes before the one given.
    #[must_use]
    pub fn next(&self, after: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
        match &self.rule {
            Rule::Every(period) => {
                let whole = Timestamp::from_second(after.as_second()).ok()?;
                whole.checked_add(*period).ok()
            }
            Rule::Fields(fields) => next(fields, after.to_zoned(self.zone.as_ref().unwrap_or(zone).clone())),
        }
    }
}

/// The time zone before the fields, if there is one. Upstream panics where no field follows it, and tells that.
fn split_zone(text: &str) -> Result<(Option<TimeZone>, &str), Invalid> {
    let Some(name) = text.strip_prefix("TZ=").or_else(|| text.strip_prefix("CRON_TZ=")) else {
        return Ok((None, text));
    };
    let Some((name, rest)) = name.split_once(' ') else {
        let text = "invalid schedule format: runtime error: slice bounds out of range [:-1]";
        return Err(Invalid(text.into()));
    };
    let zone = zone::load(name).map_err(|e| Invalid(format!("provided bad location {name}: {e}")))?;
    Ok((Some(zone), rest.trim()))
}

fn named(text: &str) -> Result<Rule, Invalid> {
    if let Some(period) = text.strip_prefix("@every ") {
        let read = nanos(period).map_err(|e| Invalid(format!("failed to parse duration {period}: {e}")))?;
        return Ok(Rule::Every(SignedDuration::from_secs((read / 1_000_000_000).max(1))));
    }
    let fields = match text {
        "@yearly" | "@annually" => "0 0 1 1 *",
        "@monthly" => "0 0 1 * *",
        "@weekly" => "0 0 * * 0",
        "@daily" | "@midnight" => "0 0 * * *",
        "@hourly" => "0 * * * *",
        _ => return Err(Invalid(format!("unrecognized descriptor: {text}"))),
    };
    Schedule::parse(fields).map(|schedule| schedule.rule)
}

fn next(fields: &[Set; 5], after: Zoned) -> Option<Timestamp> {
    let [minute, hour, _, month, _] = fields;
    let last = after.year() + YEARS;
    let mut at = after.timestamp().checked_add(SignedDuration::from_secs(60 - i64::from(after.second()))).ok()?;
    at = Timestamp::from_second(at.as_second()).ok()?;
    loop {
        let local = at.to_zoned(after.time_zone().clone());
        if local.year() > last {
            return None;
        }
        let wait = if !month.has(local.month()) {
            until(&local, local.last_of_month().ok()?.tomorrow().ok()?)?
        } else if !day_fits(fields, &local) {
            until(&local, local.tomorrow().ok()?)?
        } else if !hour.has(local.hour()) {
            SignedDuration::from_mins(60 - i64::from(local.minute()))
        } else if !minute.has(local.minute()) {
            SignedDuration::from_mins(1)
        } else {
            return Some(at);
        };
        at = at.checked_add(wait).ok()?;
    }
}

fn until(from: &Zoned, day: Zoned) -> Option<SignedDuration> {
    Some(day.start_of_day().ok()?.timestamp().duration_since(from.timestamp()))
}

/// If both kinds of days are restricted, one of them is enough.
fn day_fits(fields: &[Set; 5], local: &Zoned) -> bool {
    let [_, _, days, _, weekdays] = fields;
    let (day, weekday) = (days.has(local.day()), weekdays.has(local.weekday().to_sunday_zero_offset()));
    if days.any || weekdays.any { day && weekday } else { day || weekday }
}

#[cfg(test)]
mod tests;
