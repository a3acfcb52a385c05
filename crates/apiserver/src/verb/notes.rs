//! What is told to the caller besides the answer by those who only see the object: admission.

use parking_lot::Mutex;

/// Texts of one request, each told once.
#[derive(Debug, Default)]
pub struct Notes {
    warnings: Mutex<Vec<String>>,
}

// === impl Notes ===

impl Notes {
    /// Adds texts for the `Warning` header.
    pub fn warn(&self, texts: impl IntoIterator<Item = String>) {
        let mut warnings = self.warnings.lock();
        for text in texts {
            if !warnings.contains(&text) {
                warnings.push(text);
            }
        }
    }

    /// Takes them all.
    #[must_use]
    pub fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.warnings.lock())
    }
}
