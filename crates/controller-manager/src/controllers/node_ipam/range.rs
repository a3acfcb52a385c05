//! A range of addresses, cut into ranges for nodes.

use std::collections::HashSet;
use std::net::Ipv4Addr;

/// The prefix length of a node's range.
const NODE_PREFIX: u32 = 24;

/// The range of the whole cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Range {
    first: u32,
    count: u32,
}

/// Not a range that can be cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RangeError {
    /// It is no IPv4 range.
    #[error("not an IPv4 range such as 10.244.0.0/16")]
    Syntax,
    /// It is too small, or absurdly large.
    #[error("the prefix length must be between 8 and {NODE_PREFIX}")]
    Length,
}

// === impl Range ===

impl Range {
    /// Reads a range such as `10.244.0.0/16`.
    pub fn parse(text: &str) -> Result<Self, RangeError> {
        let (address, prefix) = text.split_once('/').ok_or(RangeError::Syntax)?;
        let address: Ipv4Addr = address.parse().map_err(|_| RangeError::Syntax)?;
        let prefix: u32 = prefix.parse().map_err(|_| RangeError::Syntax)?;
        if !(8..=NODE_PREFIX).contains(&prefix) {
            return Err(RangeError::Length);
        }
        Ok(Self { first: u32::from(address) & (u32::MAX << (32 - prefix)), count: 1 << (NODE_PREFIX - prefix) })
    }

    /// The first node's range that is not in use.
    #[must_use]
    pub fn first_free(&self, used: &HashSet<String>) -> Option<String> {
        let range = |index: u32| format!("{}/{NODE_PREFIX}", Ipv4Addr::from(self.first + (index << (32 - NODE_PREFIX))));
        (0..self.count).map(range).find(|r| !used.contains(r))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_given_in_order_until_there_is_none() {
        let range = Range::parse("10.244.0.0/23").expect("a range");
        let mut used = HashSet::new();
        for expected in [Some("10.244.0.0/24"), Some("10.244.1.0/24"), None] {
            let next = range.first_free(&used);
            assert_eq!(next.as_deref(), expected);
            used.extend(next);
        }
    }

    #[test]
    fn what_is_no_range_is_told() {
        assert_eq!(Range::parse("10.244.0.0"), Err(RangeError::Syntax));
        assert_eq!(Range::parse("fd00::/48"), Err(RangeError::Syntax));
        assert_eq!(Range::parse("10.244.0.0/28"), Err(RangeError::Length));
    }
}
