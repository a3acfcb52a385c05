//! One field of a schedule: `*`, `5`, `1-5`, `*/10`, `mon-fri`, and lists of these.

use std::num::IntErrorKind;

use super::Invalid;

/// What a field may hold.
pub(super) struct Bounds {
    low: i64,
    high: i64,
    /// Names of the values, from the lowest on.
    names: &'static [&'static str],
}

/// The values that a field allows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Set {
    bits: u64,
    /// Whether the field says `*`, and so restricts nothing.
    pub(super) any: bool,
}

pub(super) const MINUTE: Bounds = Bounds { low: 0, high: 59, names: &[] };
pub(super) const HOUR: Bounds = Bounds { low: 0, high: 23, names: &[] };
pub(super) const DAY_OF_MONTH: Bounds = Bounds { low: 1, high: 31, names: &[] };
pub(super) const MONTH: Bounds = Bounds {
    low: 1,
    high: 12,
    names: &["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"],
};
pub(super) const DAY_OF_WEEK: Bounds =
    Bounds { low: 0, high: 6, names: &["sun", "mon", "tue", "wed", "thu", "fri", "sat"] };

// === impl Set ===

impl Set {
    pub(super) fn has(self, value: i8) -> bool {
        u32::try_from(value).is_ok_and(|v| self.bits & 1_u64.wrapping_shl(v) != 0)
    }
}

// === impl Bounds ===

impl Bounds {
    pub(super) fn read(&self, field: &str) -> Result<Set, Invalid> {
        let mut set = Set::default();
        for expression in field.split(',').filter(|e| !e.is_empty()) {
            let more = self.range(expression)?;
            set = Set { bits: set.bits | more.bits, any: set.any || more.any };
        }
        Ok(set)
    }

    fn range(&self, expression: &str) -> Result<Set, Invalid> {
        let parts: Vec<_> = expression.split('/').collect();
        let ends: Vec<_> = parts[0].split('-').collect();
        let mut any = ["*", "?"].contains(&ends[0]);
        let (start, mut end) = match ends[..] {
            _ if any => (self.low, self.high),
            [one] => self.value(one).map(|v| (v, v))?,
            [low, high] => (self.value(low)?, self.value(high)?),
            _ => return Err(Invalid(format!("too many hyphens: {expression}"))),
        };
        let step = match parts[..] {
            [_] => 1,
            [_, step] => {
                let step = number(step)?;
                if ends.len() == 1 {
                    end = self.high;
                }
                any = any && step <= 1;
                step
            }
            _ => return Err(Invalid(format!("too many slashes: {expression}"))),
        };
        self.check(start, end, step).map_err(|why| Invalid(format!("{why}: {expression}")))?;
        let bits = (start..=end).step_by(usize::try_from(step).unwrap_or(usize::MAX)).fold(0, |bits, v| bits | 1 << v);
        Ok(Set { bits, any })
    }

    fn check(&self, start: i64, end: i64, step: i64) -> Result<(), String> {
        if start < self.low {
            return Err(format!("beginning of range ({start}) below minimum ({})", self.low));
        }
        if end > self.high {
            return Err(format!("end of range ({end}) above maximum ({})", self.high));
        }
        if start > end {
            return Err(format!("beginning of range ({start}) beyond end of range ({end})"));
        }
        if step == 0 { Err("step of range should be a positive number".into()) } else { Ok(()) }
    }

    fn value(&self, text: &str) -> Result<i64, Invalid> {
        let named = self.names.iter().position(|name| name.eq_ignore_ascii_case(text));
        match named.and_then(|at| i64::try_from(at).ok()) {
            Some(at) => Ok(self.low + at),
            None => number(text),
        }
    }
}

fn number(text: &str) -> Result<i64, Invalid> {
    let value = text.parse::<i64>().map_err(|error| {
        let why = match error.kind() {
            IntErrorKind::PosOverflow | IntErrorKind::NegOverflow => "value out of range",
            _ => "invalid syntax",
        };
        Invalid(format!("failed to parse int from {text}: strconv.Atoi: parsing {text:?}: {why}"))
    })?;
    if value < 0 {
        return Err(Invalid(format!("negative number ({value}) not allowed: {text}")));
    }
    Ok(value)
}
