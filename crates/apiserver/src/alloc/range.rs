//! The ranges, as flags write them.

use std::net::{IpAddr, Ipv4Addr};
use std::str::FromStr;

use nakhoda_api::network::Network;

/// An IPv4 range in CIDR notation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AddressRange {
    network: u32,
    bits: u8,
}

/// Node ports from a first to a last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PortRange {
    /// The first.
    pub first: u16,
    /// The last.
    pub last: u16,
}

/// A range that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RangeError {
    /// Not CIDR notation.
    #[error("{0:?} is no IPv4 range; write for example 10.96.0.0/16")]
    Address(String),
    /// Not two numbers.
    #[error("{0:?} is no range of ports; write for example 30000-32767")]
    Port(String),
}

// === impl AddressRange ===

impl AddressRange {
    /// The address of an index; 0 is the network itself.
    #[must_use]
    pub fn at(&self, index: u32) -> Ipv4Addr {
        Ipv4Addr::from(self.network.wrapping_add(index))
    }

    /// How many addresses there are, the network and the broadcast address included.
    #[must_use]
    pub const fn len(&self) -> u32 {
        if self.bits == 0 { u32::MAX } else { 1 << (32 - self.bits) }
    }

    /// Whether there is nothing to give.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len() <= 2
    }

    /// Whether an address can be given: in the range, and neither its first nor its last.
    #[must_use]
    pub fn contains(&self, address: Ipv4Addr) -> bool {
        let index = u32::from(address).wrapping_sub(self.network);
        index > 0 && index < self.len() - 1
    }

    /// The indices that the server gives out by itself. The lower part is left to those who ask for an
    /// address, so that they seldom collide (`pkg/registry/core/service/ipallocator`).
    #[must_use]
    pub fn dynamic(&self) -> std::ops::Range<u32> {
        let offset = if self.len() < 16 { 1 } else { (self.len() / 16).clamp(16, 256) };
        if offset >= self.len() - 1 { 1..self.len() - 1 } else { offset..self.len() - 1 }
    }
}

impl AddressRange {
    /// Every address that can be given, those first that the server gives out by itself.
    pub fn all(&self) -> impl Iterator<Item = Ipv4Addr> + use<> {
        let (range, dynamic) = (*self, self.dynamic());
        dynamic.clone().chain(1..dynamic.start).map(move |index| range.at(index))
    }
}

impl FromStr for AddressRange {
    type Err = RangeError;

    fn from_str(text: &str) -> Result<Self, RangeError> {
        let bad = || RangeError::Address(text.into());
        let (address, bits) = text.split_once('/').ok_or_else(bad)?;
        let address: Ipv4Addr = address.parse().map_err(|_| bad())?;
        let bits: u8 = bits.parse().ok().filter(|bits| (8..=30).contains(bits)).ok_or_else(bad)?;
        let mask = u32::MAX << (32 - bits);
        Ok(Self { network: u32::from(address) & mask, bits })
    }
}

impl std::fmt::Display for AddressRange {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", Ipv4Addr::from(self.network), self.bits)
    }
}

impl TryFrom<Network> for AddressRange {
    type Error = RangeError;

    fn try_from(network: Network) -> Result<Self, RangeError> {
        match network.address {
            IpAddr::V4(address) if (1..=30).contains(&network.bits) => {
                Ok(Self { network: u32::from(address) & (u32::MAX << (32 - network.bits)), bits: network.bits })
            }
            _ => Err(RangeError::Address(network.to_string())),
        }
    }
}

// === impl PortRange ===

impl PortRange {
    /// Whether a port can be given.
    #[must_use]
    pub const fn contains(&self, port: u16) -> bool {
        self.first <= port && port <= self.last
    }
}

impl FromStr for PortRange {
    type Err = RangeError;

    fn from_str(text: &str) -> Result<Self, RangeError> {
        let bad = || RangeError::Port(text.into());
        let (first, last) = text.split_once('-').ok_or_else(bad)?;
        let range = Self { first: first.parse().map_err(|_| bad())?, last: last.parse().map_err(|_| bad())? };
        if range.first == 0 || range.first > range.last { Err(bad()) } else { Ok(range) }
    }
}

impl std::fmt::Display for PortRange {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}-{}", self.first, self.last)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_dynamic_part_leaves_the_low_addresses_alone() {
        let range: AddressRange = "10.96.0.0/16".parse().expect("a range");
        assert_eq!(range.dynamic(), 256..65535);
        assert_eq!(range.at(10).to_string(), "10.96.0.10");
        assert!(range.contains(range.at(1)) && !range.contains(range.at(0)) && !range.contains(range.at(65535)));
    }

    #[test]
    fn ranges_that_make_no_sense_are_refused() {
        assert!("10.96.0.0".parse::<AddressRange>().is_err());
        assert!("2-1".parse::<PortRange>().is_err());
    }
}
