//! Reads a quantity's text.

use super::{Format, MAX, NANO, Quantity, QuantityError, round_up};

/// What a suffix multiplies with.
enum Scale {
    Ten(i32),
    Two(u32),
}

pub(super) fn parse(text: &str) -> Result<Quantity, QuantityError> {
    let (negative, unsigned) = match text.as_bytes().first() {
        None => return Err(QuantityError::Format),
        Some(b'-') => (true, &text[1..]),
        Some(b'+') => (false, &text[1..]),
        Some(_) => (false, text),
    };
    let (whole, fraction, suffix) = split(unsigned)?;
    let (scale, mut format) = interpret(suffix).ok_or(QuantityError::Suffix)?;
    if whole.is_empty() && fraction.is_empty() && unsigned.starts_with('.') {
        return Err(QuantityError::Numeric);
    }
    let nano = amount(whole, fraction, &scale);
    if format == Format::BinarySi && nano > 0 && nano < NANO {
        format = Format::DecimalSi;
    }
    Ok(Quantity { nano: if negative { -nano } else { nano }, format })
}

/// Digits before the point, digits behind it, and the suffix.
fn split(text: &str) -> Result<(&str, &str, &str), QuantityError> {
    let digits = |t: &str| t.bytes().take_while(u8::is_ascii_digit).count();
    let (whole, rest) = text.split_at(digits(text));
    let (fraction, suffix) = match rest.strip_prefix('.') {
        Some(rest) => rest.split_at(digits(rest)),
        None => ("", rest),
    };
    let letters = suffix.trim_start_matches(|c| "eEinumkKMGTP".contains(c));
    let exponent = letters.strip_prefix(['-', '+']).unwrap_or(letters);
    if exponent.bytes().all(|b| b.is_ascii_digit()) {
        Ok((whole, fraction, suffix))
    } else {
        Err(QuantityError::Format)
    }
}

fn interpret(suffix: &str) -> Option<(Scale, Format)> {
    let ten = |n| Some((Scale::Ten(n), Format::DecimalSi));
    let two = |n| Some((Scale::Two(n), Format::BinarySi));
    match suffix {
        "n" => ten(-9),
        "u" => ten(-6),
        "m" => ten(-3),
        "" => ten(0),
        "k" => ten(3),
        "M" => ten(6),
        "G" => ten(9),
        "T" => ten(12),
        "P" => ten(15),
        "E" => ten(18),
        "Ki" => two(10),
        "Mi" => two(20),
        "Gi" => two(30),
        "Ti" => two(40),
        "Pi" => two(50),
        "Ei" => two(60),
        _ => {
            let exponent = suffix.strip_prefix(['e', 'E'])?.parse().ok()?;
            Some((Scale::Ten(exponent), Format::DecimalExponent))
        }
    }
}

/// In billionths, what is smaller counting as one, what is larger than 63 bits capped.
fn amount(whole: &str, fraction: &str, scale: &Scale) -> i128 {
    // More than 20 digits behind the point cannot change an amount of billionths times 2^60.
    let fraction = &fraction[..fraction.len().min(20)];
    let Ok(mut mantissa) = format!("0{whole}{fraction}").parse::<i128>() else { return MAX };
    if mantissa == 0 {
        return 0;
    }
    let mut tens = 9 - i32::try_from(fraction.len()).unwrap_or(0);
    match scale {
        Scale::Ten(n) => tens = tens.saturating_add(*n),
        Scale::Two(n) => match mantissa.checked_shl(*n).filter(|m| m >> n == mantissa) {
            Some(product) => mantissa = product,
            None => return MAX,
        },
    }
    let power = 10_i128.checked_pow(tens.unsigned_abs());
    match (tens >= 0, power) {
        (true, Some(power)) => mantissa.checked_mul(power).map_or(MAX, |n| n.min(MAX)),
        (true, None) => MAX,
        (false, Some(power)) => round_up(mantissa, power).min(MAX),
        (false, None) => 1,
    }
}
