//! Prints a quantity in canonical form: no fraction, the largest suffix that loses nothing.

use std::fmt;

use super::{Format, NANO, Quantity};

const DECIMAL: &[(u32, &str)] =
    &[(27, "E"), (24, "P"), (21, "T"), (18, "G"), (15, "M"), (12, "k"), (9, ""), (6, "m"), (3, "u"), (0, "n")];
const BINARY: &[&str] = &["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];

pub(super) fn print(quantity: Quantity, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let Quantity { nano, format } = quantity;
    if nano == 0 {
        return f.write_str("0");
    }
    let small = nano.abs() < 1024 * NANO;
    match format {
        Format::BinarySi if !small && quantity.is_whole() => binary(nano / NANO, f),
        Format::BinarySi | Format::DecimalSi => {
            let (power, suffix) = fit(nano);
            write!(f, "{}{suffix}", nano / 10_i128.pow(power))
        }
        Format::DecimalExponent => {
            let (power, _) = fit(nano);
            let mantissa = nano / 10_i128.pow(power);
            match i64::from(power) - 9 {
                0 => write!(f, "{mantissa}"),
                exponent => write!(f, "{mantissa}e{exponent}"),
            }
        }
    }
}

/// The largest power of a thousand that divides, in billionths.
fn fit(nano: i128) -> (u32, &'static str) {
    DECIMAL.iter().find(|(power, _)| nano % 10_i128.pow(*power) == 0).copied().unwrap_or((0, "n"))
}

fn binary(mut whole: i128, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let mut suffix = 0;
    while whole % 1024 == 0 && suffix + 1 < BINARY.len() {
        whole /= 1024;
        suffix += 1;
    }
    write!(f, "{whole}{}", BINARY[suffix])
}
