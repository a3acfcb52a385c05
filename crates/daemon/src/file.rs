//! Files that a program was told to read: an error names the file.

use std::io;
use std::path::{Path, PathBuf};

/// A file cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("cannot read {path}")]
pub struct Unreadable {
    /// Which file.
    pub path: PathBuf,
    /// Why not.
    #[source]
    pub source: io::Error,
}

/// What a file holds.
pub fn bytes(path: &Path) -> Result<Vec<u8>, Unreadable> {
    std::fs::read(path).map_err(|source| Unreadable { path: path.into(), source })
}

/// What a file holds; it must be UTF-8.
pub fn text(path: &Path) -> Result<String, Unreadable> {
    std::fs::read_to_string(path).map_err(|source| Unreadable { path: path.into(), source })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_names_the_file_and_keeps_its_cause() {
        let error = text(Path::new("/there/is/none")).unwrap_err();
        assert_eq!(error.to_string(), "cannot read /there/is/none");
        assert_eq!(error.source.kind(), io::ErrorKind::NotFound);
    }
}
