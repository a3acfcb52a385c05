//! Resource records of the kinds that are told.

use std::net::IpAddr;
use std::str::FromStr;

use hickory_proto::rr::rdata::{A, AAAA, CNAME, PTR, SOA, SRV, TXT};
use hickory_proto::rr::{Name, RData, Record, RecordType};

/// Seconds that an answer may be kept: as kubeadm configures it.
pub const TTL: u32 = 30;
/// Seconds that a denial may be kept.
const DENIAL_TTL: u32 = 5;

/// A record of an address, if it is of the family that is asked for.
#[must_use]
pub fn address(name: &Name, address: &str, asked: RecordType) -> Option<Record> {
    let data = match (address.parse().ok()?, asked) {
        (IpAddr::V4(ip), RecordType::A | RecordType::ANY) => RData::A(A(ip)),
        (IpAddr::V6(ip), RecordType::AAAA | RecordType::ANY) => RData::AAAA(AAAA(ip)),
        _ => return None,
    };
    Some(Record::from_rdata(name.clone(), TTL, data))
}

/// Another name for the same thing.
#[must_use]
pub fn alias(name: &Name, target: &str) -> Option<Record> {
    let target = Name::from_str(&format!("{}.", target.trim_end_matches('.'))).ok()?;
    Some(Record::from_rdata(name.clone(), TTL, RData::CNAME(CNAME(target))))
}

/// A port at a name.
#[must_use]
pub fn service(name: &Name, port: u16, weight: u16, target: &str) -> Option<Record> {
    let target = Name::from_str(target).ok()?;
    Some(Record::from_rdata(name.clone(), TTL, RData::SRV(SRV::new(0, weight, port, target))))
}

/// The name of an address.
#[must_use]
pub fn pointer(name: &Name, target: &str) -> Option<Record> {
    Some(Record::from_rdata(name.clone(), TTL, RData::PTR(PTR(Name::from_str(target).ok()?))))
}

/// A text.
#[must_use]
pub fn text(name: &Name, text: &str) -> Record {
    Record::from_rdata(name.clone(), TTL, RData::TXT(TXT::new(vec![text.into()])))
}

/// The start of the zone's authority, which a denial carries so that it is kept for a while only.
#[must_use]
pub fn authority(domain: &str) -> Option<Record> {
    let zone = Name::from_str(&format!("{domain}.")).ok()?;
    let server = Name::from_str(&format!("ns.dns.{domain}.")).ok()?;
    let mailbox = Name::from_str(&format!("hostmaster.{domain}.")).ok()?;
    let soa = SOA::new(server, mailbox, 1, 7200, 1800, 86_400, DENIAL_TTL);
    Some(Record::from_rdata(zone, DENIAL_TTL, RData::SOA(soa)))
}
