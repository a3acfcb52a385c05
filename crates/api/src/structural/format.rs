//! The formats of strings that a schema may ask for (`k8s.io/kube-openapi/pkg/validation/strfmt`).
//!
//! A name that is none of these asks for nothing, and the definition is warned of.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::LazyLock;

use regex::Regex;

use crate::names;

/// Formats of strings, as upstream spells them; dashes do not count, except in the last two.
const STRINGS: [&str; 26] = [
    "bsonobjectid",
    "uri",
    "email",
    "hostname",
    "ipv4",
    "ipv6",
    "cidr",
    "mac",
    "uuid",
    "uuid3",
    "uuid4",
    "uuid5",
    "isbn",
    "isbn10",
    "isbn13",
    "creditcard",
    "ssn",
    "hexcolor",
    "rgbcolor",
    "byte",
    "password",
    "date",
    "duration",
    "datetime",
    "k8sshortname",
    "k8slongname",
];

/// Whether a format means anything for a type.
#[must_use]
pub fn is_supported(kind: &str, format: &str) -> bool {
    match kind {
        "" | "string" => is_known(format),
        "integer" => matches!(format, "int32" | "int64"),
        "number" => matches!(format, "float" | "double"),
        _ => false,
    }
}

/// Whether strings can be checked for it.
#[must_use]
pub fn is_known(format: &str) -> bool {
    STRINGS.contains(&format.replace('-', "").as_str())
}

/// Whether a text has a format; a format that is not known fits all.
#[must_use]
pub fn fits(format: &str, text: &str) -> bool {
    match format.replace('-', "").as_str() {
        "bsonobjectid" => text.len() == 24 && text.bytes().all(|b| b.is_ascii_hexdigit()),
        "uri" => is_uri(text),
        "email" => is_email(text),
        "hostname" => HOSTNAME.is_match(text) && text.len() <= 255 && text.split('.').all(|part| part.len() <= 63),
        "ipv4" => is_ipv4(text),
        "ipv6" => text.contains(':') && text.parse::<Ipv6Addr>().is_ok(),
        "cidr" => is_cidr(text),
        "mac" => MAC.is_match(text),
        "uuid" => UUID.is_match(text),
        "uuid3" => UUID.is_match(text) && digit(text, 12) == Some('3'),
        "uuid4" | "uuid5" => {
            let version = if format.ends_with('4') { '4' } else { '5' };
            UUID.is_match(text)
                && digit(text, 12) == Some(version)
                && matches!(digit(text, 16), Some('8' | '9' | 'a' | 'b'))
        }
        "isbn" => is_isbn10(text) || is_isbn13(text),
        "isbn10" => is_isbn10(text),
        "isbn13" => is_isbn13(text),
        "creditcard" => is_card(text),
        "ssn" => SSN.is_match(text),
        "hexcolor" => HEX_COLOR.is_match(text),
        "rgbcolor" => RGB_COLOR.is_match(text),
        "byte" => BASE64.is_match(text),
        "date" => is_date(text),
        "duration" => is_duration(text),
        "datetime" => is_date_time(text),
        "k8sshortname" => names::is_dns1123_label(text).is_empty(),
        "k8slongname" => names::is_dns1123_subdomain(text).is_empty(),
        _ => true,
    }
}

macro_rules! patterns {
    ($($name:ident = $pattern:literal;)*) => {
        $(static $name: LazyLock<Regex> = LazyLock::new(|| Regex::new($pattern).expect("a valid pattern"));)*
    };
}

patterns! {
    HOSTNAME = r"^([a-zA-Z0-9\p{S}\p{L}]((-?[a-zA-Z0-9\p{S}\p{L}]{0,62})?)|([a-zA-Z0-9\p{S}\p{L}](([a-zA-Z0-9\-\p{S}\p{L}]{0,61}[a-zA-Z0-9\p{S}\p{L}])?)(\.)){1,}([a-zA-Z\p{L}]){2,63})$";
    UUID = r"(?i)^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$";
    MAC = r"(?i)^(([0-9a-f]{2}(:[0-9a-f]{2}){5}((:[0-9a-f]{2}){2}|(:[0-9a-f]{2}){14})?)|([0-9a-f]{2}(-[0-9a-f]{2}){5}((-[0-9a-f]{2}){2}|(-[0-9a-f]{2}){14})?)|([0-9a-f]{4}(\.[0-9a-f]{4}){2}((\.[0-9a-f]{4})|(\.[0-9a-f]{4}){7})?))$";
    SSN = r"^[0-9]{3}[- ]?[0-9]{2}[- ]?[0-9]{4}$";
    HEX_COLOR = r"^#?([0-9a-fA-F]{3}|[0-9a-fA-F]{6})$";
    RGB_COLOR = r"^rgb\(\s*(0|[1-9]\d?|1\d\d?|2[0-4]\d|25[0-5])\s*,\s*(0|[1-9]\d?|1\d\d?|2[0-4]\d|25[0-5])\s*,\s*(0|[1-9]\d?|1\d\d?|2[0-4]\d|25[0-5])\s*\)$";
    BASE64 = r"^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=|[A-Za-z0-9+/]{4})$";
    TIME = r"^([0-9]{2}):([0-9]{2}):([0-9]{2})(.[0-9]+)?(z|([+-][0-9]{2}:[0-9]{2}))$";
    GO_DURATION = r"^[-+]?(0|(([0-9]+(\.[0-9]*)?|\.[0-9]+)(ns|us|µs|μs|ms|s|m|h))+)$";
    LONG_DURATION = r"([0-9]+)\s*([A-Za-zµ]+)";
    CARD = r"^(?:4[0-9]{12}(?:[0-9]{3})?|5[1-5][0-9]{14}|6(?:011|5[0-9][0-9])[0-9]{12}|3[47][0-9]{13}|3(?:0[0-5]|[68][0-9])[0-9]{11}|(?:2131|1800|35[0-9]{3})[0-9]{11})$";
    EMAIL = r#"^(?:[^<>"@,;:\\\s\[\]()]+|"[^"]*")@[^<>"@,;:\\\s()]+$"#;
}

/// A hexadecimal digit of a UUID, dashes left out.
fn digit(uuid: &str, index: usize) -> Option<char> {
    uuid.chars().filter(|c| *c != '-').nth(index).map(|c| c.to_ascii_lowercase())
}

/// What a request line could ask for: a scheme, or a rooted path.
fn is_uri(text: &str) -> bool {
    let scheme = |scheme: &str| {
        scheme.starts_with(|c: char| c.is_ascii_alphabetic())
            && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
    };
    let rooted = text.starts_with('/') || text.split_once(':').is_some_and(|(s, rest)| scheme(s) && !rest.is_empty());
    rooted && !text.contains(|c: char| c.is_ascii_control() || c == ' ')
}

/// `a@b`, also as `Name <a@b>`.
fn is_email(text: &str) -> bool {
    let address = text.strip_suffix('>').and_then(|text| text.rsplit_once('<')).map_or(text, |(_, address)| address);
    EMAIL.is_match(address)
}

/// Leading zeros are forgiven, as Go once did.
fn is_ipv4(text: &str) -> bool {
    let parts: Vec<&str> = text.split('.').collect();
    let byte = |part: &&str| part.bytes().all(|b| b.is_ascii_digit()) && part.parse::<u8>().is_ok();
    parts.len() == 4 && parts.iter().all(byte)
}

fn is_cidr(text: &str) -> bool {
    let Some((address, bits)) = text.split_once('/') else { return false };
    let max = if is_ipv4(address) {
        Ipv4Addr::BITS
    } else if address.parse::<Ipv6Addr>().is_ok() {
        Ipv6Addr::BITS
    } else {
        return false;
    };
    bits.bytes().all(|b| b.is_ascii_digit()) && bits.parse::<u32>().is_ok_and(|bits| bits <= max)
}

fn is_date(text: &str) -> bool {
    text.len() == 10 && text.parse::<jiff::civil::Date>().is_ok()
}

fn is_date_time(text: &str) -> bool {
    let text = text.to_lowercase();
    let Some((date, time)) = text.split_once('t') else { return false };
    let Some(parts) = TIME.captures(time).filter(|_| is_date(date)) else { return false };
    &parts[1] <= "23" && &parts[2] <= "59" && &parts[3] <= "59"
}

fn is_duration(text: &str) -> bool {
    const UNITS: [&[&str]; 8] = [
        &["ns", "nano"],
        &["us", "µs", "micro"],
        &["ms", "milli"],
        &["s", "sec"],
        &["m", "min"],
        &["h", "hr", "hour"],
        &["d", "day"],
        &["w", "wk", "week"],
    ];
    let unit = |word: &str| {
        let word = word.to_lowercase();
        UNITS.iter().any(|names| names.contains(&&*word) || names.last().is_some_and(|long| word.starts_with(long)))
    };
    GO_DURATION.is_match(text) || LONG_DURATION.captures_iter(text).any(|found| unit(&found[2]))
}

fn digits(text: &str) -> Vec<u32> {
    text.chars()
        .filter(|c| *c != '-' && *c != ' ')
        .map(|c| c.to_digit(10).unwrap_or(if c == 'X' { 10 } else { 99 }))
        .collect()
}

fn is_isbn10(text: &str) -> bool {
    let digits = digits(text);
    let sum: u32 = digits.iter().zip(1..).map(|(digit, weight)| digit * weight).sum();
    digits.len() == 10 && digits[..9].iter().all(|d| *d < 10) && digits[9] <= 10 && sum.is_multiple_of(11)
}

fn is_isbn13(text: &str) -> bool {
    let digits = digits(text);
    let sum: u32 = digits.iter().zip([1, 3].iter().cycle()).map(|(digit, weight)| digit * weight).sum();
    digits.len() == 13 && digits.iter().all(|d| *d < 10) && sum.is_multiple_of(10)
}

/// A number of a known issuer whose check digit is right.
fn is_card(text: &str) -> bool {
    let plain: String = text.chars().filter(char::is_ascii_digit).collect();
    let doubled = |digit: u32| if digit > 4 { digit * 2 - 9 } else { digit * 2 };
    let digits = plain.chars().rev().filter_map(|c| c.to_digit(10)).enumerate();
    let sum: u32 = digits.map(|(n, digit)| if n % 2 == 1 { doubled(digit) } else { digit }).sum();
    CARD.is_match(&plain) && sum.is_multiple_of(10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_fit_their_formats() {
        for (format, good, bad) in [
            ("ipv4", "10.0.0.01", "10.0.0.256"),
            ("ipv6", "fe80::1", "10.0.0.1"),
            ("cidr", "10.0.0.0/8", "10.0.0.0/33"),
            ("mac", "01:23:45:67:89:ab", "01:23:45:67:89"),
            ("uuid4", "a987fbc9-4bed-4078-8f07-9141ba07c9f3", "a987fbc9-4bed-3078-cf07-9141ba07c9f3"),
            ("uri", "https://example.com/a?b", "example.com"),
            ("email", "Jo <jo@example.com>", "jo"),
            ("hostname", "example.com", "-a"),
            ("byte", "YWJj", "YWJ"),
            ("date", "2026-02-28", "2026-02-30"),
            ("duration", "1h30m", "soon"),
            ("duration", "22 nanos", "h"),
            ("date-time", "2026-01-02T03:04:05.678Z", "2026-01-02T25:04:05Z"),
            ("isbn10", "0-321-75104-3", "0-321-75104-4"),
            ("isbn13", "978-0321751041", "978-0321751042"),
            ("creditcard", "4111 1111 1111 1111", "4111 1111 1111 1112"),
            ("ssn", "111-11-1111", "1"),
            ("hexcolor", "#fff", "#ggg"),
            ("rgbcolor", "rgb(1, 2, 255)", "rgb(1,2)"),
            ("k8s-short-name", "a-b", "a.b"),
            ("k8s-long-name", "a.b", "a..b"),
            ("bsonobjectid", "507f1f77bcf86cd799439011", "507f"),
        ] {
            assert!(is_known(format), "{format}");
            assert!(fits(format, good), "{good} is a {format}");
            assert!(!fits(format, bad), "{bad} is no {format}");
        }
        assert!(!is_known("colour") && fits("colour", "x"));
    }
}
