//! Amounts of resources: `500m`, `1Gi`, `2e3` (`k8s.io/apimachinery/pkg/api/resource`).
//!
//! Invariant: never a floating point number. The amount is a whole number of billionths in an `i128`,
//! which holds every amount that fits upstream's 63 bits at any precision it allows; larger ones are capped.

use std::cmp::Ordering;
use std::fmt;
use std::ops::{Add, AddAssign, Neg, Sub, SubAssign};
use std::str::FromStr;

use crate::kinds;

mod parse;
mod print;

/// An exact amount, and the family of suffixes it is printed with.
#[derive(Clone, Copy, Debug, Default)]
pub struct Quantity {
    nano: i128,
    format: Format,
}

/// Families of suffixes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// `n u m k M G T P E`.
    #[default]
    DecimalSi,
    /// `Ki Mi Gi Ti Pi Ei`.
    BinarySi,
    /// `e3`, `E3`.
    DecimalExponent,
}

/// A text that is no quantity. The texts are upstream's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum QuantityError {
    /// The text is not a number with a suffix.
    #[error("quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'")]
    Format,
    /// The number cannot be read.
    #[error("unable to parse numeric part of quantity")]
    Numeric,
    /// The suffix is not known.
    #[error("unable to parse quantity's suffix")]
    Suffix,
}

const NANO: i128 = 1_000_000_000;
const MAX: i128 = i64::MAX as i128 * NANO;

// === impl Quantity ===

impl Quantity {
    /// Nothing.
    pub const ZERO: Self = Self { nano: 0, format: Format::DecimalSi };

    /// Reads a text.
    pub fn parse(text: &str) -> Result<Self, QuantityError> {
        parse::parse(text)
    }

    /// A whole amount.
    #[must_use]
    pub const fn new(value: i64, format: Format) -> Self {
        Self { nano: value as i128 * NANO, format }
    }

    /// An amount of thousandths, as CPU is counted.
    #[must_use]
    pub const fn from_milli(milli: i64) -> Self {
        Self { nano: milli as i128 * (NANO / 1000), format: Format::DecimalSi }
    }

    /// The whole amount, a part counting as one more.
    #[must_use]
    pub fn value(self) -> i64 {
        self.scaled(NANO)
    }

    /// Thousandths, a part counting as one more.
    #[must_use]
    pub fn milli(self) -> i64 {
        self.scaled(NANO / 1000)
    }

    /// The same, with parts of a thousandth counting as one more.
    #[must_use]
    pub const fn rounded_to_milli(self) -> Self {
        let unit = NANO / 1000;
        Self { nano: round_up(self.nano, unit) * unit, format: self.format }
    }

    /// Billionths, exactly.
    #[must_use]
    pub const fn nano(self) -> i128 {
        self.nano
    }

    /// The family of suffixes.
    #[must_use]
    pub const fn format(self) -> Format {
        self.format
    }

    /// Whether it is nothing.
    #[must_use]
    pub const fn is_zero(self) -> bool {
        self.nano == 0
    }

    /// Whether it is less than nothing.
    #[must_use]
    pub const fn is_negative(self) -> bool {
        self.nano < 0
    }

    /// Whether there is no part of a whole.
    #[must_use]
    pub const fn is_whole(self) -> bool {
        self.nano % NANO == 0
    }

    /// Rounded away from zero, capped to 64 bits.
    fn scaled(self, unit: i128) -> i64 {
        let whole = round_up(self.nano, unit);
        i64::try_from(whole).unwrap_or(if whole < 0 { i64::MIN } else { i64::MAX })
    }

    /// Zero takes the other's family, as upstream has it.
    fn combined(self, other: Self, nano: i128) -> Self {
        Self { nano, format: if self.is_zero() { other.format } else { self.format } }
    }
}

/// Divides, rounding away from zero.
const fn round_up(amount: i128, unit: i128) -> i128 {
    let (whole, rest) = (amount / unit, amount % unit);
    if rest == 0 {
        whole
    } else if amount > 0 {
        whole + 1
    } else {
        whole - 1
    }
}

impl FromStr for Quantity {
    type Err = QuantityError;

    fn from_str(text: &str) -> Result<Self, QuantityError> {
        Self::parse(text)
    }
}

impl TryFrom<&kinds::Quantity> for Quantity {
    type Error = QuantityError;

    fn try_from(quantity: &kinds::Quantity) -> Result<Self, QuantityError> {
        Self::parse(&quantity.0)
    }
}

impl From<Quantity> for kinds::Quantity {
    fn from(quantity: Quantity) -> Self {
        Self(quantity.to_string())
    }
}

impl Add for Quantity {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        self.combined(other, self.nano.saturating_add(other.nano))
    }
}

impl Sub for Quantity {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        self.combined(other, self.nano.saturating_sub(other.nano))
    }
}

impl AddAssign for Quantity {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl SubAssign for Quantity {
    fn sub_assign(&mut self, other: Self) {
        *self = *self - other;
    }
}

impl Neg for Quantity {
    type Output = Self;

    fn neg(self) -> Self {
        Self { nano: self.nano.saturating_neg(), ..self }
    }
}

impl std::iter::Sum for Quantity {
    fn sum<I: Iterator<Item = Self>>(items: I) -> Self {
        items.fold(Self::ZERO, Add::add)
    }
}

/// Amounts are equal whatever their suffixes.
impl PartialEq for Quantity {
    fn eq(&self, other: &Self) -> bool {
        self.nano == other.nano
    }
}

impl Eq for Quantity {}

impl PartialOrd for Quantity {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Quantity {
    fn cmp(&self, other: &Self) -> Ordering {
        self.nano.cmp(&other.nano)
    }
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        print::print(*self, f)
    }
}

#[cfg(test)]
mod tests;
