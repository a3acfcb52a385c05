//! Numbers of completions as text: `1,3-5,7`.

use std::ops::RangeInclusive;

/// What such a text says: its intervals, rising.
type Interval = RangeInclusive<i64>;

/// How many numbers the text names; a fault if they do not rise, or are not below `completions`.
pub fn count(text: &str, completions: i32) -> Result<i64, String> {
    let mut total = 0;
    let mut last: Option<i64> = None;
    for part in text.split(',').filter(|_| !text.is_empty()) {
        let interval = interval(part, completions)?;
        if let Some(last) = last.filter(|last| last >= interval.start()) {
            return Err(rising(last, *interval.start()));
        }
        total += interval.end() - interval.start() + 1;
        last = Some(*interval.end());
    }
    Ok(total)
}

/// The first number that two texts share. Intervals that cannot be read are another check's business.
#[must_use]
pub fn overlap(one: &str, other: &str, completions: i32) -> Option<i64> {
    let read = |text| str::split(text, ',').filter_map(|part| interval(part, completions).ok()).peekable();
    let (mut ours, mut theirs) = (read(one), read(other));
    while let (Some(a), Some(b)) = (ours.peek(), theirs.peek()) {
        if let Some(number) = shared(a, b) {
            return Some(number);
        }
        if a.start() <= b.start() {
            ours.next()
        } else {
            theirs.next()
        };
    }
    None
}

fn shared(a: &Interval, b: &Interval) -> Option<i64> {
    (a.start() <= b.end() && b.start() <= a.end()).then(|| *a.start().max(b.start()))
}

fn interval(text: &str, completions: i32) -> Result<Interval, String> {
    let ends: Vec<_> = text.split('-').collect();
    let below = |text: &str| {
        let cannot = |_| format!("cannot convert string to integer for index: {text:?}");
        let number: i64 = text.parse().map_err(cannot)?;
        if number < completions.into() { Ok(number) } else { Err(format!("too large index: {text:?}")) }
    };
    match ends[..] {
        [one] => below(one).map(|n| n..=n),
        [low, high] => {
            let (low, high) = (below(low)?, below(high)?);
            if low < high { Ok(low..=high) } else { Err(rising(low, high)) }
        }
        _ => Err(format!(
            "the fragment {text:?} violates the requirement that an index interval can have at most two parts separated by '-'"
        )),
    }
}

fn rising(previous: i64, current: i64) -> String {
    format!("non-increasing order, previous: {previous}, current: {current}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_rise_below_the_completions() {
        assert_eq!(count("", 5), Ok(0));
        assert_eq!(count("0,2-4", 5), Ok(4));
        for (text, fault) in [
            ("1,1", "non-increasing order, previous: 1, current: 1"),
            ("3-3", "non-increasing order, previous: 3, current: 3"),
            ("5", "too large index: \"5\""),
            ("a", "cannot convert string to integer for index: \"a\""),
            (
                "1-2-3",
                "the fragment \"1-2-3\" violates the requirement that an index interval can have at most two parts separated by '-'",
            ),
        ] {
            assert_eq!(count(text, 5), Err(fault.into()));
        }
    }

    #[test]
    fn the_first_shared_number_is_found() {
        assert_eq!(overlap("0-2,5", "3,4-6", 9), Some(5));
        assert_eq!(overlap("0-2", "3-4", 9), None);
        assert_eq!(overlap("x,1", "1", 9), Some(1));
    }
}
