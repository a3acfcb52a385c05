//! Addresses and networks as text, and the texts about those that are not well written
//! (`k8s.io/apimachinery/pkg/util/validation/ip.go`).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use nakhoda_api::field::{Errors, Path};
use nakhoda_api::names;

use crate::rules::check::each;

const NO_NETWORK: &str = "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)";

/// An address with the number of bits that name its network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Network {
    /// As written: bits beyond the prefix may be set.
    pub address: IpAddr,
    /// How long the prefix is.
    pub bits: u8,
}

/// Not CIDR notation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no network in CIDR notation")]
pub struct NotANetwork;

// === impl Network ===

impl Network {
    /// The network alone, without what stands behind the prefix.
    #[must_use]
    pub fn masked(self) -> Self {
        let address = match self.address {
            IpAddr::V4(a) => {
                let mask = u32::MAX.checked_shl(32 - u32::from(self.bits)).unwrap_or(0);
                IpAddr::V4(Ipv4Addr::from(u32::from(a) & mask))
            }
            IpAddr::V6(a) => {
                let mask = u128::MAX.checked_shl(128 - u32::from(self.bits)).unwrap_or(0);
                IpAddr::V6(Ipv6Addr::from(u128::from(a) & mask))
            }
        };
        Self { address, ..self }
    }

    /// Whether an address lies in it.
    #[must_use]
    pub fn contains(self, address: IpAddr) -> bool {
        let same_family = self.address.is_ipv4() == address.is_ipv4();
        same_family && Self { address, ..self }.masked().address == self.masked().address
    }

    /// Whether another one lies in it, or is the same.
    #[must_use]
    pub fn covers(self, other: Self) -> bool {
        self.bits <= other.bits && self.contains(other.address)
    }

    /// Whether both have an address in common.
    #[must_use]
    pub fn overlaps(self, other: Self) -> bool {
        self.covers(other) || other.covers(self)
    }

    /// Reads also what programs understand differently: zeros before a number.
    fn sloppy(text: &str) -> Option<Self> {
        let (address, bits) = text.split_once('/')?;
        let bits = bits.trim_start_matches('0');
        let bits = if bits.is_empty() { "0" } else { bits };
        format!("{}/{bits}", without_zeros(address)).parse().ok()
    }
}

impl FromStr for Network {
    type Err = NotANetwork;

    fn from_str(text: &str) -> Result<Self, NotANetwork> {
        let (address, bits) = text.split_once('/').ok_or(NotANetwork)?;
        let address: IpAddr = address.parse().map_err(|_| NotANetwork)?;
        let plain = bits == "0" || !bits.starts_with('0') && bits.bytes().all(|b| b.is_ascii_digit());
        let most = if address.is_ipv4() { 32 } else { 128 };
        let bits = bits.parse().ok().filter(|bits| plain && *bits <= most).ok_or(NotANetwork)?;
        Ok(Self { address, bits })
    }
}

impl std::fmt::Display for Network {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.address, self.bits)
    }
}

/// IPv4 without zeros before its numbers.
fn without_zeros(address: &str) -> String {
    if address.contains(':') {
        return address.to_owned();
    }
    let plain = |part: &str| match part.trim_start_matches('0') {
        "" if !part.is_empty() => "0".to_owned(),
        rest => rest.to_owned(),
    };
    address.split('.').map(plain).collect::<Vec<_>>().join(".")
}

/// A network of which only one spelling is right.
pub fn network(errors: &mut Errors, path: &Path, text: &str) {
    let faults = spelling(text);
    if !faults.is_empty() {
        return each(errors, path, text, faults);
    }
    if let Ok(network) = text.parse::<Network>()
        && text != network.to_string()
    {
        errors.invalid(path, text, format!("must be in canonical form (\"{network}\")"));
    }
}

/// A network of a field that is older than the rule of one spelling.
pub fn legacy_network(errors: &mut Errors, path: &Path, text: &str) {
    each(errors, path, text, spelling(text));
}

fn spelling(text: &str) -> Vec<String> {
    let fault = match text.parse::<Network>() {
        Ok(Network { address: IpAddr::V6(a), .. }) if a.to_ipv4_mapped().is_some() => {
            "must not have an IPv4-mapped IPv6 address"
        }
        Ok(network) if network.masked() != network => "must not have bits set beyond the prefix length",
        Ok(_) => return Vec::new(),
        Err(NotANetwork) if Network::sloppy(text).is_some() => "must not have leading 0s in IP or prefix length",
        Err(NotANetwork) => NO_NETWORK,
    };
    vec![fault.into()]
}

/// What is wrong with an address of which only one spelling is right.
#[must_use]
pub fn address_faults(text: &str) -> Vec<String> {
    let faults = names::is_valid_ip(text);
    match text.parse::<IpAddr>() {
        Ok(address) if faults.is_empty() && address.to_string() != text => {
            vec![format!("must be in canonical form (\"{address}\")")]
        }
        _ => faults,
    }
}

/// The warning about an address that is valid but strangely spelt.
#[must_use]
pub fn address_warning(path: &Path, text: &str) -> Option<String> {
    match text.parse::<IpAddr>() {
        Ok(IpAddr::V6(address)) if address.to_string() != text => {
            Some(format!("{path}: IPv6 address \"{text}\" should be in RFC 5952 canonical format (\"{address}\")"))
        }
        _ => None,
    }
}

/// The warning about a network that is valid but strangely spelt.
#[must_use]
pub fn network_warning(path: &Path, text: &str) -> Option<String> {
    let network: Network = text.parse().ok()?;
    let strange = network.address.is_ipv6() && network.to_string() != text;
    strange
        .then(|| format!("{path}: IPv6 CIDR value \"{text}\" should be in RFC 5952 canonical format (\"{network}\")"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_misspelling_has_its_text() {
        let cases = [
            ("10.0.0.0/8", ""),
            ("fd00::/64", ""),
            ("10.0.0.1/8", "must not have bits set beyond the prefix length"),
            ("010.0.0.0/8", "must not have leading 0s in IP or prefix length"),
            ("10.0.0.0/08", "must not have leading 0s in IP or prefix length"),
            ("::ffff:10.0.0.0/104", "must not have an IPv4-mapped IPv6 address"),
            ("FD00::/64", "must be in canonical form (\"fd00::/64\")"),
            ("10.0.0.0/33", NO_NETWORK),
            ("10.0.0.0", NO_NETWORK),
        ];
        for (text, fault) in cases {
            let mut errors = Errors::default();
            network(&mut errors, &Path::new("p"), text);
            let wanted =
                if fault.is_empty() { String::new() } else { format!("p: Invalid value: \"{text}\": {fault}") };
            assert_eq!(errors.to_string(), wanted, "{text}");
        }
    }

    #[test]
    fn networks_cover_what_lies_in_them() {
        let network = |text: &str| text.parse::<Network>().expect("a network");
        assert!(network("10.0.0.0/8").covers(network("10.1.0.0/16")));
        assert!(!network("10.1.0.0/16").covers(network("10.0.0.0/8")));
        assert!(network("10.1.0.0/16").overlaps(network("10.0.0.0/8")));
        assert!(!network("0.0.0.0/0").overlaps(network("::/0")));
        assert!(network("0.0.0.0/0").contains(IpAddr::from([255, 0, 0, 1])));
    }
}
