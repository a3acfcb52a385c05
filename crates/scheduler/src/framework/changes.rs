//! [`Changes`]: kinds of news that could make a pod fit which did not.

use std::ops::{BitAnd, BitOr, BitOrAssign};

/// A set of kinds of news.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Changes(u16);

// === impl Changes ===

impl Changes {
    /// No news.
    pub const NONE: Self = Self(0);
    /// A node is new.
    pub const NODE_ADDED: Self = Self(1);
    /// A node has more or less to give.
    pub const NODE_ALLOCATABLE: Self = Self(1 << 1);
    /// A node has other labels.
    pub const NODE_LABELS: Self = Self(1 << 2);
    /// A node has other taints, or was cordoned or uncordoned.
    pub const NODE_TAINTS: Self = Self(1 << 3);
    /// A pod has left its node, or takes less of it.
    pub const POD_REMOVED: Self = Self(1 << 4);
    /// A pod has come to a node, or has other labels.
    pub const POD_ADDED: Self = Self(1 << 5);

    /// A volume, a claim, a class or what a node can attach is new or has changed.
    pub const VOLUMES: Self = Self(1 << 6);

    /// A device, a claim to some, a class or a taint of them is new or has changed.
    pub const DEVICES: Self = Self(1 << 7);

    /// Both sets.
    #[must_use]
    pub const fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether the sets have something in common.
    #[must_use]
    pub const fn meets(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// Whether there is no news.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }
}

impl BitOr for Changes {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        self.or(other)
    }
}

impl BitOrAssign for Changes {
    fn bitor_assign(&mut self, other: Self) {
        *self = self.or(other);
    }
}

impl BitAnd for Changes {
    type Output = Self;

    fn bitand(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }
}
