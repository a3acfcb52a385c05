//! Addresses and networks as text, and the texts about those that are not well written
//! (`k8s.io/apimachinery/pkg/util/validation/ip.go`).

use std::net::IpAddr;

use nakhoda_api::field::{Errors, Path};
use nakhoda_api::names;
use nakhoda_api::network::{Network, NotANetwork};

use crate::rules::check::each;

const NO_NETWORK: &str = "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)";

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
}
