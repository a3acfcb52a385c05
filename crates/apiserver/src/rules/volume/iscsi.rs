//! iSCSI: names of targets and initiators (RFC 3720), and what goes with them.

use nakhoda_api::field::{Errors, Path};
use nakhoda_api::kinds::core::{ISCSIPersistentVolumeSource, ISCSIVolumeSource};

use super::sources::unit;
use crate::rules::check::{required, text};

const FORMAT: &str = "must be valid format";
const STARTING: &str = "must be valid format starting with iqn, eui, or naa";
const TOO_LONG: &str = "Total length of <volume name>:<iscsi.targetPortal> must be under 64 characters if iscsi.initiatorName is specified.";

/// What both forms of the source have.
struct Parts<'a> {
    portal: &'a str,
    target: &'a str,
    lun: i32,
    authenticates: bool,
    /// The secret's name; `None`: no secret.
    secret: Option<&'a str>,
    initiator: Option<&'a str>,
    unknown_start: &'static str,
}

/// Of a pod, whose volume has a name.
pub fn of_pod(errors: &mut Errors, path: &Path, source: &ISCSIVolumeSource) {
    let parts = Parts {
        portal: &source.target_portal,
        target: &source.iqn,
        lun: source.lun,
        authenticates: source.chap_auth_discovery == Some(true) || source.chap_auth_session == Some(true),
        // a secret without a name is let through here
        secret: source.secret_ref.as_ref().map(|_| "named"),
        initiator: source.initiator_name.as_deref(),
        unknown_start: STARTING,
    };
    check(errors, path, &parts, None);
}

/// Of a PersistentVolume of a name.
pub fn persistent(errors: &mut Errors, path: &Path, source: &ISCSIPersistentVolumeSource, volume: &str) {
    let parts = Parts {
        portal: &source.target_portal,
        target: &source.iqn,
        lun: source.lun,
        authenticates: source.chap_auth_discovery == Some(true) || source.chap_auth_session == Some(true),
        secret: source.secret_ref.as_ref().map(|s| text(&s.name)),
        initiator: source.initiator_name.as_deref(),
        unknown_start: FORMAT,
    };
    check(errors, path, &parts, Some(volume));
}

/// Portal and volume together are the name of a session, which is short.
pub fn session_name(errors: &mut Errors, path: &Path, volume: &str, source: &ISCSIVolumeSource) {
    if source.initiator_name.is_some() && volume.len() + 1 + source.target_portal.len() > 64 {
        errors.invalid(&path.child("name"), volume, TOO_LONG);
    }
}

fn check(errors: &mut Errors, path: &Path, parts: &Parts<'_>, volume: Option<&str>) {
    required(errors, &path.child("targetPortal"), parts.portal);
    if volume.is_some_and(|v| parts.initiator.is_some() && v.len() + 1 + parts.portal.len() > 64) {
        errors.invalid(&path.child("targetportal"), parts.portal, TOO_LONG);
    }
    match parts.target {
        "" => errors.required(&path.child("iqn"), ""),
        target => name(errors, &path.child("iqn"), target, parts.unknown_start),
    }
    unit(errors, path, parts.lun);
    match parts.secret {
        None if parts.authenticates => errors.required(&path.child("secretRef"), ""),
        Some("") => errors.required(&path.child("secretRef").child("name"), ""),
        _ => {}
    }
    if let Some(initiator) = parts.initiator {
        name(errors, &path.child("initiatorname"), initiator, parts.unknown_start);
    }
}

fn name(errors: &mut Errors, path: &Path, name: &str, unknown_start: &str) {
    let valid = match name.get(..3) {
        Some("iqn") => is_qualified(name),
        Some("eui") => has_suffix(name, 16),
        Some("naa") => has_suffix(name, 32),
        _ => return errors.invalid(path, name, unknown_start),
    };
    if !valid {
        errors.invalid(path, name, FORMAT);
    }
}

/// `eui.` or `naa.` and so many letters or digits; upstream's pattern takes any character for the dot.
fn has_suffix(name: &str, length: usize) -> bool {
    let suffix = name.chars().skip(4);
    suffix.clone().count() == length && suffix.clone().all(|c| c.is_ascii_alphanumeric())
}

/// `iqn.YEAR-MONTH.domain:anything`.
fn is_qualified(name: &str) -> bool {
    let Some((authority, unique)) = name.split_once(':') else { return false };
    let digits = |text: &str, count| text.len() == count && text.bytes().all(|b| b.is_ascii_digit());
    let mut parts = authority.splitn(3, '.');
    let (start, date, domain) = (parts.next(), parts.next(), parts.next());
    start == Some("iqn")
        && date.and_then(|d| d.split_once('-')).is_some_and(|(year, month)| digits(year, 4) && digits(month, 2))
        && domain.is_some_and(|d| !d.is_empty() && d.chars().all(|c| c.is_ascii_alphanumeric() || "-.".contains(c)))
        && !unique.is_empty()
        && !unique.contains(|c: char| ",;*&$|".contains(c) || c.is_whitespace())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_targets_have_three_forms() {
        for valid in ["iqn.2015-02.example.com:test", "eui.0123456789abcdef", "naa.60014059811d880b60014059811d880b"] {
            let mut errors = Errors::default();
            name(&mut errors, &Path::new("iqn"), valid, STARTING);
            assert_eq!(errors.to_string(), "");
        }
        for (wrong, why) in [("iqn.2015.example.com:test", FORMAT), ("eui.1", FORMAT), ("x", STARTING)] {
            let mut errors = Errors::default();
            name(&mut errors, &Path::new("iqn"), wrong, STARTING);
            assert_eq!(errors.to_string(), format!("iqn: Invalid value: \"{wrong}\": {why}"));
        }
    }
}
