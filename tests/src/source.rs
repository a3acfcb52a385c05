//! The files of the checkout.

use std::path::{Path, PathBuf};

/// One source file.
#[derive(Clone, Debug)]
pub struct File {
    /// Relative to the checkout's root.
    pub path: String,
    /// All of it.
    pub text: String,
}

/// The checkout's root.
#[must_use]
pub fn root() -> PathBuf {
    let parent = Path::new(env!("CARGO_MANIFEST_DIR")).parent();
    parent.expect("this package lies in a folder of the workspace").to_owned()
}

/// What the cluster under test keeps: `scripts/up`'s folder, or another that `NAKHODA_STATE` names.
#[must_use]
pub fn state() -> PathBuf {
    std::env::var_os("NAKHODA_STATE").map_or_else(|| root().join(".cluster"), PathBuf::from)
}

/// All Rust files below a folder, in order.
#[must_use]
pub fn rust_files(folder: &str) -> Vec<File> {
    let mut files = Vec::new();
    collect(&root().join(folder), &mut files);
    files.sort_by(|a, b| a.path.cmp(&b.path));
    files
}

// === impl File ===

impl File {
    /// The lines that hold code: no blank ones, no comments, and no tests, which stand at the bottom.
    #[must_use]
    pub fn code(&self) -> Vec<&str> {
        let tests = self.text.find("\n#[cfg(test)]\nmod tests {").unwrap_or(self.text.len());
        let lines = self.text[..tests].lines().filter(|l| !l.trim().is_empty() && !l.trim_start().starts_with("//"));
        lines.collect()
    }
}

fn collect(folder: &Path, files: &mut Vec<File>) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for path in entries.filter_map(Result::ok).map(|e| e.path()) {
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|e| e == "rs") {
            let text = std::fs::read_to_string(&path).expect("a source file is text");
            let path = path.strip_prefix(root()).expect("it lies below the root").display().to_string();
            files.push(File { path, text });
        }
    }
}
