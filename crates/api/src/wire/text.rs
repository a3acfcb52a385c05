//! The texts of values that are more than text: bytes, times, durations. What comes in is checked and
//! brought into the form in which Go writes it.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;

/// Standard base64; Go reads over line breaks in it.
pub(super) fn base64(text: &str) -> Result<String, String> {
    bytes(text).map(|bytes| STANDARD.encode(bytes))
}

/// The bytes that a base64 text stands for.
pub(super) fn bytes(text: &str) -> Result<Vec<u8>, String> {
    let decode = |text: &str| STANDARD.decode(text).map_err(fault);
    if text.contains(['\r', '\n']) { decode(&text.replace(['\r', '\n'], "")) } else { decode(text) }
}

/// Why a text is no base64, if it is none.
pub(crate) fn base64_fault(text: &str) -> Option<String> {
    bytes(text).err()
}

fn fault(error: base64::DecodeError) -> String {
    let at = match error {
        base64::DecodeError::InvalidByte(at, _) | base64::DecodeError::InvalidLastSymbol(at, _) => at,
        base64::DecodeError::InvalidLength(length) => length,
        base64::DecodeError::InvalidPadding => 0,
    };
    format!("illegal base64 data at input byte {at}")
}

/// RFC 3339, to whole seconds of UTC.
pub(super) fn time(text: &str) -> Result<String, String> {
    if is_plain(text) {
        return Ok(text.into());
    }
    parse(text, "2006-01-02T15:04:05Z07:00").map(seconds)
}

/// RFC 3339, with six digits behind the seconds.
pub(super) fn micro_time(text: &str) -> Result<String, String> {
    parse(text, "2006-01-02T15:04:05.000000Z07:00").map(micros)
}

/// `2006-01-02T15:04:05Z`.
pub(super) fn seconds(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// `2006-01-02T15:04:05.000000Z`.
pub(super) fn micros(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%S.%6fZ").to_string()
}

/// A time that needs no rewriting: the common case.
fn is_plain(text: &str) -> bool {
    let pattern = b"dddd-dd-ddTdd:dd:ddZ";
    text.len() == pattern.len()
        && text.bytes().zip(pattern).all(|(c, p)| if *p == b'd' { c.is_ascii_digit() } else { c == *p })
        && text.parse::<Timestamp>().is_ok()
}

fn parse(text: &str, layout: &str) -> Result<Timestamp, String> {
    text.parse().map_err(|_| format!("parsing time {text:?} as {layout:?}: cannot parse {text:?} as \"2006\""))
}

/// Go's `time.Duration` text: `1h0m30s`.
pub(super) fn duration(text: &str) -> Result<String, String> {
    nanos(text).map(print_duration)
}

/// The nanoseconds of a Go duration.
pub(crate) fn nanos(text: &str) -> Result<i64, String> {
    let invalid = || format!("time: invalid duration {text:?}");
    let (negative, mut rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    if rest == "0" {
        return Ok(0);
    }
    let mut total = 0_f64;
    if rest.is_empty() {
        return Err(invalid());
    }
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        let number: f64 = rest[..digits].parse().map_err(|_| invalid())?;
        let after = &rest[digits..];
        let letters = after.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(after.len());
        if letters == 0 {
            return Err(format!("time: missing unit in duration {text:?}"));
        }
        let unit = unit(&after[..letters])
            .ok_or_else(|| format!("time: unknown unit {:?} in duration {text:?}", &after[..letters]))?;
        total += number * unit;
        rest = &after[letters..];
    }
    Ok((if negative { -total } else { total }) as i64)
}

fn unit(name: &str) -> Option<f64> {
    Some(match name {
        "ns" => 1.0,
        "us" | "µs" | "μs" => 1e3,
        "ms" => 1e6,
        "s" => 1e9,
        "m" => 60e9,
        "h" => 3600e9,
        _ => return None,
    })
}

/// A Go duration of these nanoseconds.
pub(crate) fn print_duration(nanos: i64) -> String {
    if nanos == 0 {
        return "0s".into();
    }
    let mut out = String::from(if nanos < 0 { "-" } else { "" });
    let n = nanos.unsigned_abs();
    match n {
        0..1_000 => write!(out, "{n}ns"),
        1_000..1_000_000 => write!(out, "{}µs", fraction(n, 1_000)),
        1_000_000..1_000_000_000 => write!(out, "{}ms", fraction(n, 1_000_000)),
        _ => {
            let (hours, minutes) = (n / 3_600_000_000_000, n / 60_000_000_000 % 60);
            if hours > 0 {
                out.push_str(&format!("{hours}h"));
            }
            if hours > 0 || minutes > 0 {
                out.push_str(&format!("{minutes}m"));
            }
            write!(out, "{}s", fraction(n % 60_000_000_000, 1_000_000_000))
        }
    }
    .expect("a String takes all");
    out
}

fn fraction(n: u64, unit: u64) -> String {
    let width = unit.ilog10() as usize;
    let text = format!("{}.{:0width$}", n / unit, n % unit);
    text.trim_end_matches('0').trim_end_matches('.').into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_print_as_in_go() {
        for (text, printed) in [
            ("90s", "1m30s"),
            ("1h", "1h0m0s"),
            ("1.5s", "1.5s"),
            ("250ms", "250ms"),
            ("0", "0s"),
            ("-2m", "-2m0s"),
            ("10ns", "10ns"),
        ] {
            assert_eq!(duration(text).as_deref(), Ok(printed));
        }
        assert_eq!(duration("1x"), Err("time: unknown unit \"x\" in duration \"1x\"".into()));
        assert_eq!(duration("5"), Err("time: missing unit in duration \"5\"".into()));
    }

    #[test]
    fn times_become_utc() {
        assert_eq!(time("2026-01-02T03:04:05+01:00").as_deref(), Ok("2026-01-02T02:04:05Z"));
        assert_eq!(time("2026-01-02T03:04:05.9Z").as_deref(), Ok("2026-01-02T03:04:05Z"));
        assert_eq!(micro_time("2026-01-02T03:04:05Z").as_deref(), Ok("2026-01-02T03:04:05.000000Z"));
        assert!(time("yesterday").is_err());
        assert!(time("2026-13-02T03:04:05Z").is_err());
    }

    #[test]
    fn base64_is_checked() {
        assert_eq!(base64("aGk=\n").as_deref(), Ok("aGk="));
        assert!(base64("a!").is_err());
    }
}
