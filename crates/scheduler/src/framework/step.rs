//! [`Step`]: what has to be written, and to have taken effect, before a pod is bound to the node that
//! was decided on.

use nakhoda_client::Key;

/// One thing to do. Doing it twice does no harm.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// A claim gets this volume.
    Bind {
        /// The volume's name.
        volume: String,
        /// Whose it becomes.
        claim: Key,
    },
    /// A volume is made for a claim, where the pod will be.
    Provision {
        /// For which.
        claim: Key,
    },
}

impl Step {
    /// The claim it is about.
    #[must_use]
    pub const fn claim(&self) -> &Key {
        match self {
            Self::Bind { claim, .. } | Self::Provision { claim } => claim,
        }
    }
}
