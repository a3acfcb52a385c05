//! Addresses and ports of endpoints.

use std::net::IpAddr;

use nakhoda_api::field::{Errors, Path};
use nakhoda_api::names;

use crate::rules::check::{chosen, each, label, qualified, required, text};

/// Transport protocols, sorted.
pub const PROTOCOLS: &[&str] = &["SCTP", "TCP", "UDP"];

/// An address that traffic can be sent to.
pub fn endpoint(errors: &mut Errors, path: &Path, ip: &str) {
    // an IPv4 address in the clothes of IPv6 is what it is
    let Ok(address) = ip.parse::<IpAddr>().map(|address| address.to_canonical()) else {
        errors.invalid(path, ip, "must be a valid IP address");
        return;
    };
    let (link_local, link_local_multicast) = match address {
        IpAddr::V4(a) => (a.is_link_local(), a.octets()[..3] == [224, 0, 0]),
        IpAddr::V6(a) => (a.is_unicast_link_local(), a.segments()[0] & 0xff0f == 0xff02),
    };
    let faults = [
        (address.is_unspecified(), format!("may not be unspecified ({ip})")),
        (address.is_loopback(), "may not be in the loopback range (127.0.0.0/8, ::1/128)".into()),
        (link_local, "may not be in the link-local range (169.254.0.0/16, fe80::/10)".into()),
        (link_local_multicast, "may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)".into()),
    ];
    each(errors, path, ip, faults.into_iter().filter(|(bad, _)| *bad).map(|(_, text)| text).collect());
}

/// A port of an endpoint or a service, as far as both have the same.
pub struct Port<'a> {
    /// Needed if there are several.
    pub name: &'a Option<String>,
    /// The number.
    pub port: i32,
    /// TCP, UDP or SCTP.
    pub protocol: &'a Option<String>,
    /// What is spoken over it.
    pub app_protocol: &'a Option<String>,
}

/// A port of Endpoints.
pub fn port(errors: &mut Errors, path: &Path, port: &Port<'_>, named: bool) {
    let name = text(port.name);
    if named {
        required(errors, &path.child("name"), name);
    }
    if !name.is_empty() {
        label(errors, &path.child("name"), name);
    }
    port_value(errors, path, port);
}

/// Number and protocols alone.
pub fn port_value(errors: &mut Errors, path: &Path, port: &Port<'_>) {
    each(errors, &path.child("port"), port.port, names::is_valid_port_num(port.port.into()));
    chosen(errors, &path.child("protocol"), text(port.protocol), PROTOCOLS);
    if let Some(protocol) = port.app_protocol {
        qualified(errors, &path.child("appProtocol"), protocol);
    }
}
