//! Where a custom kind keeps what `scale` shows.

use nakhoda_api::kinds::apiextensions::CustomResourceSubresourceScale;

/// The paths, step by step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Paths {
    /// `spec.replicas` of built-in kinds.
    pub wanted: Vec<String>,
    /// `status.replicas` of built-in kinds.
    pub present: Vec<String>,
    /// A selector as text; empty if there is none.
    pub selector: Vec<String>,
    /// As the definition writes the first one.
    pub told: String,
    /// As it writes the second.
    pub told_present: String,
}

// === impl Paths ===

impl Paths {
    /// What a definition says.
    #[must_use]
    pub fn of(scale: &CustomResourceSubresourceScale) -> Self {
        let steps = |path: &str| path.trim_start_matches('.').split('.').map(str::to_owned).collect();
        let selector = scale.label_selector_path.as_deref().filter(|path| !path.is_empty());
        Self {
            wanted: steps(&scale.spec_replicas_path),
            present: steps(&scale.status_replicas_path),
            selector: selector.map(steps).unwrap_or_default(),
            told: scale.spec_replicas_path.clone(),
            told_present: scale.status_replicas_path.clone(),
        }
    }
}
