//! Character classes that several name rules share.

/// `[a-z0-9]([-a-z0-9]*[a-z0-9])?`
pub(super) fn is_label(value: &str) -> bool {
    let lower = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    framed(value, lower, |b| lower(b) || b == b'-')
}

/// `_?[a-z0-9]([-_a-z0-9]*[a-z0-9])?`
pub(super) fn is_underscore_label(value: &str) -> bool {
    let lower = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    framed(value.strip_prefix('_').unwrap_or(value), lower, |b| lower(b) || b"-_".contains(&b))
}

/// Labels joined by dots.
pub(super) fn is_subdomain(value: &str) -> bool {
    value.split('.').all(is_label)
}

/// `([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]`
pub(super) fn is_key(value: &str) -> bool {
    framed(value, |b| b.is_ascii_alphanumeric(), |b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
}

/// Not empty, `edge` at both ends and `inner` throughout.
fn framed(value: &str, edge: impl Fn(u8) -> bool, inner: impl Fn(u8) -> bool) -> bool {
    let bytes = value.as_bytes();
    let (Some(first), Some(last)) = (bytes.first(), bytes.last()) else { return false };
    edge(*first) && edge(*last) && bytes.iter().all(|b| inner(*b))
}
