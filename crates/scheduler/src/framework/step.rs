//! [`Step`]: what has to be written, and to have taken effect, before a pod is bound to the node that
//! was decided on.

use nakhoda_api::kinds::resource::AllocationResult;
use nakhoda_client::Key;

/// One thing to do. Doing it twice does no harm.
#[derive(Clone, Debug, PartialEq)]
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
    /// A ResourceClaim is used by the pod.
    Reserve {
        /// Which.
        claim: Key,
        /// What it gets, if it has nothing yet.
        allocation: Option<Box<AllocationResult>>,
    },
}

impl Step {
    /// The claim to a volume that it is about.
    #[must_use]
    pub const fn volume_claim(&self) -> Option<&Key> {
        match self {
            Self::Bind { claim, .. } | Self::Provision { claim } => Some(claim),
            Self::Reserve { .. } => None,
        }
    }
}
