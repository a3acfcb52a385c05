//! Sources of volumes, those of pods and those of PersistentVolumes: of several one may be given, and each has rules.

use nakhoda_api::field::{Errors, Path};

pub mod claim;
pub mod iscsi;
pub mod persistent;
pub mod sources;

/// How volumes can be used.
pub const ACCESS_MODES: &[&str] = &["ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"];
/// As what volumes can be shown.
pub const VOLUME_MODES: &[&str] = &["Block", "Filesystem"];

/// Takes one source; more are refused.
pub struct Sole<'a> {
    errors: &'a mut Errors,
    path: &'a Path,
    taken: bool,
}

// === impl Sole ===

impl<'a> Sole<'a> {
    /// Of the value at this path.
    #[must_use]
    pub fn new(errors: &'a mut Errors, path: &'a Path) -> Self {
        Self { errors, path, taken: false }
    }

    /// A source, if it is given, and its rules.
    pub fn take<T>(&mut self, field: &str, source: Option<&T>, rules: impl FnOnce(&mut Errors, &Path, &T)) {
        self.take_as(field, field, source, rules);
    }

    /// The same where faults inside are told at another name than that it may not be there.
    pub fn take_as<T>(
        &mut self,
        field: &str,
        inside: &str,
        source: Option<&T>,
        rules: impl FnOnce(&mut Errors, &Path, &T),
    ) {
        let Some(source) = source else { return };
        if self.taken {
            return self.errors.forbidden(&self.path.child(field), "may not specify more than 1 volume type");
        }
        self.taken = true;
        rules(self.errors, &self.path.child(inside), source);
    }

    /// A source that upstream does not count against others.
    pub fn beside<T>(&mut self, field: &str, source: Option<&T>, rules: impl FnOnce(&mut Errors, &Path, &T)) {
        let Some(source) = source else { return };
        self.taken = true;
        rules(self.errors, &self.path.child(field), source);
    }

    /// There must have been one.
    pub fn finish(self) {
        if !self.taken {
            self.errors.required(self.path, "must specify a volume type");
        }
    }
}

/// Access modes; the one for a single pod stands alone.
pub fn access_modes(errors: &mut Errors, path: &Path, modes: &[String]) {
    for mode in modes {
        super::check::supported(errors, path, mode, ACCESS_MODES);
    }
    let single = |mode: &&String| *mode == "ReadWriteOncePod";
    let other = |mode: &String| !single(&mode) && ACCESS_MODES.contains(&mode.as_str());
    if modes.iter().any(|m| single(&m)) && modes.iter().any(other) {
        errors.forbidden(path, "may not use ReadWriteOncePod with other access modes");
    }
}
