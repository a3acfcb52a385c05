//! Callers without credentials: whether they are let in, and where to. What they may do there is a matter of
//! authorization, which by default grants them health, version and the facts for joining.

/// Who may come without credentials.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Anonymous {
    /// Whether anybody may.
    pub enabled: bool,
    /// To which paths; to all if empty. What does not come by a path (gRPC) is none of them.
    pub paths: Vec<String>,
}

// === impl Anonymous ===

impl Anonymous {
    /// Whether a request for a path may come without credentials.
    #[must_use]
    pub fn admits(&self, path: &str) -> bool {
        self.enabled && (self.paths.is_empty() || self.paths.iter().any(|allowed| allowed == path))
    }
}

impl Default for Anonymous {
    fn default() -> Self {
        Self { enabled: true, paths: Vec::new() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_name_whole_paths() {
        let health = Anonymous { enabled: true, paths: vec!["/livez".into()] };
        assert!(health.admits("/livez") && !health.admits("/livez/etcd") && !health.admits(""));
        assert!(Anonymous::default().admits("/anything"));
        assert!(!Anonymous { enabled: false, paths: Vec::new() }.admits("/livez"));
    }
}
