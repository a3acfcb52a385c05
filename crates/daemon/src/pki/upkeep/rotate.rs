//! A new authority in the place of an old one, in three steps. Between them everybody needs time to read the files
//! anew, seconds here and as long as nodes are away there; at no moment is anything shown that is not believed.
//!
//! 1. The new authority is made and believed beside the old one, which still signs.
//! 2. The new one signs, and all leaves are new; the old one is still believed.
//! 3. The old one is dropped.

use std::path::Path;
use std::time::SystemTime;

use super::super::layout::Folder;
use super::super::{Authority, PkiError, read, write_private};

/// How the certificate of an authority that does not sign yet ends.
pub(super) const NEXT_CERT: &str = ".next.crt";

/// What a run has done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// The new authority is believed.
    Announced,
    /// The new authority signs.
    Changed,
    /// The old authority is gone.
    Dropped,
}

// === impl Folder ===

impl Folder {
    /// Does the next step for one authority, `ca` say.
    pub fn rotate(&self, name: &str) -> Result<Step, PkiError> {
        let file = |end: &str| self.path(&format!("{name}{end}"));
        let (cert, key) = (file(".crt"), file(".key"));
        let (next, next_key) = (file(NEXT_CERT), file(".next.key"));
        let believed = read(&cert)?;
        if next.exists() {
            let new = read(&next)?;
            if !believed.contains(&new) {
                self.spread(name, &cert, &format!("{}{new}", first(&believed)))?;
                return Ok(Step::Announced);
            }
            let bundle = format!("{new}{}", believed.replace(&new, ""));
            // The key before the certificate, as everywhere; what is left of a step cut short is done again.
            write_private(&key, read(&next_key)?.as_bytes())?;
            self.spread(name, &cert, &bundle)?;
            self.renew(|leaf| leaf.authority == name)?;
            for path in [next, next_key] {
                std::fs::remove_file(&path).map_err(|source| PkiError::File { attempt: "removing", path, source })?;
            }
            return Ok(Step::Changed);
        }
        if believed.matches(BEGIN).count() > 1 {
            self.spread(name, &cert, first(&believed))?;
            return Ok(Step::Dropped);
        }
        // Each has a name of its own, so that nobody takes one for the other.
        let age = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
        let new = Authority::create(&format!("{}-{age}", name.replace("etcd/ca", "etcd-ca")), &next, &next_key)?;
        self.spread(name, &cert, &format!("{}{}", first(&believed), new.certificate()))?;
        Ok(Step::Announced)
    }

    /// Lets everybody believe a bundle.
    fn spread(&self, name: &str, cert: &Path, bundle: &str) -> Result<(), PkiError> {
        write_private(cert, bundle.as_bytes())?;
        if name == "ca" { self.believe(bundle) } else { Ok(()) }
    }
}

const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
const END: &str = "-----END CERTIFICATE-----";

/// The certificate of the one that signs.
fn first(bundle: &str) -> &str {
    let end = bundle.find(END).map_or(bundle.len(), |at| at + END.len());
    let line = bundle[end..].find('\n').map_or(bundle.len(), |at| end + at + 1);
    &bundle[..line]
}
