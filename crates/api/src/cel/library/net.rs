//! Addresses, ranges of them, and URLs.

use std::net::IpAddr;
use std::rc::Rc;

use super::super::eval::{Budget, RunError};
use super::super::value::Val;
use super::Outcome;

pub(super) fn call<'a>(name: &str, with: &[Val<'a>], _: &mut Budget) -> Option<Outcome<'a>> {
    let bool = |b: bool| Ok(Val::Bool(b));
    let failed = |why: String| Err(RunError::Other(why));
    Some(match (name, with) {
        ("ip", [Val::Text(text)]) => match text.parse() {
            Ok(ip) => Ok(Val::Ip(ip)),
            Err(_) => failed(format!("IP Address {text:?} parse error during conversion from string")),
        },
        ("isIP", [Val::Text(text)]) => bool(text.parse::<IpAddr>().is_ok()),
        ("ip.isCanonical", [Val::Text(text)]) => match text.parse::<IpAddr>() {
            Ok(ip) => bool(ip.to_string() == **text),
            Err(_) => failed(format!("IP Address {text:?} parse error during conversion from string")),
        },
        ("cidr", [Val::Text(text)]) => match range(text) {
            Some((ip, bits)) => Ok(Val::Cidr(ip, bits)),
            None => failed(format!(
                "network address parse error during conversion from string: netip.ParsePrefix({text:?}): no '/'"
            )),
        },
        ("isCIDR", [Val::Text(text)]) => bool(range(text).is_some()),
        ("url", [Val::Text(text)]) => match url(text) {
            Some(parts) => Ok(Val::Url(Rc::new(parts))),
            None => failed(format!(
                "URL parse error during conversion from string: parse {text:?}: invalid URI for request"
            )),
        },
        ("isURL", [Val::Text(text)]) => bool(url(text).is_some()),
        (name, [Val::Ip(ip)]) => of_ip(name, *ip)?,
        (name, [Val::Cidr(ip, bits), rest @ ..]) => of_cidr(name, *ip, *bits, rest)?,
        (name, [Val::Url(parts)]) => of_url(name, parts)?,
        _ => return None,
    })
}

fn of_ip<'a>(name: &str, ip: IpAddr) -> Option<Outcome<'a>> {
    let link_local = match ip {
        IpAddr::V4(ip) => ip.is_link_local(),
        IpAddr::V6(ip) => ip.is_unicast_link_local(),
    };
    let link_multicast = match ip {
        IpAddr::V4(ip) => ip.octets()[..3] == [224, 0, 0],
        IpAddr::V6(ip) => ip.segments()[0] & 0xff0f == 0xff02,
    };
    let broadcast = matches!(ip, IpAddr::V4(ip) if ip.is_broadcast());
    Some(Ok(Val::Bool(match name {
        "family" => return Some(Ok(Val::Int(if ip.is_ipv4() { 4 } else { 6 }))),
        "isUnspecified" => ip.is_unspecified(),
        "isLoopback" => ip.is_loopback(),
        "isLinkLocalMulticast" => link_multicast,
        "isLinkLocalUnicast" => link_local,
        "isGlobalUnicast" => !(ip.is_unspecified() || ip.is_loopback() || ip.is_multicast() || link_local || broadcast),
        _ => return None,
    })))
}

fn of_cidr<'a>(name: &str, ip: IpAddr, bits: u8, rest: &[Val<'a>]) -> Option<Outcome<'a>> {
    let inside = |other: IpAddr| other.is_ipv4() == ip.is_ipv4() && masked(other, bits) == masked(ip, bits);
    Some(Ok(match (name, rest) {
        ("ip", []) => Val::Ip(ip),
        ("prefixLength", []) => Val::Int(bits.into()),
        ("masked", []) => Val::Cidr(masked(ip, bits), bits),
        ("containsIP", [Val::Ip(other)]) => Val::Bool(inside(*other)),
        ("containsIP", [Val::Text(text)]) => match text.parse() {
            Ok(other) => Val::Bool(inside(other)),
            Err(_) => {
                return Some(Err(RunError::Other(format!(
                    "IP Address {text:?} parse error during conversion from string"
                ))));
            }
        },
        ("containsCIDR", [Val::Cidr(other, more)]) => Val::Bool(*more >= bits && inside(*other)),
        ("containsCIDR", [Val::Text(text)]) => {
            let (other, more) = range(text)?;
            Val::Bool(more >= bits && inside(other))
        }
        _ => return None,
    }))
}

fn masked(ip: IpAddr, bits: u8) -> IpAddr {
    match ip {
        IpAddr::V4(ip) => {
            let mask = u32::MAX.checked_shl(32 - u32::from(bits)).unwrap_or(0);
            IpAddr::V4((u32::from(ip) & mask).into())
        }
        IpAddr::V6(ip) => {
            let mask = u128::MAX.checked_shl(128 - u32::from(bits)).unwrap_or(0);
            IpAddr::V6((u128::from(ip) & mask).into())
        }
    }
}

fn range(text: &str) -> Option<(IpAddr, u8)> {
    let (ip, bits) = text.split_once('/')?;
    let ip: IpAddr = ip.parse().ok()?;
    let bits = bits.parse().ok().filter(|bits| *bits <= if ip.is_ipv4() { 32 } else { 128 })?;
    Some((ip, bits))
}

/// Scheme, authority, path and query; a rooted path alone is a URL too.
fn url(text: &str) -> Option<[String; 4]> {
    let (rest, query) = text.split_once('?').unwrap_or((text, ""));
    if text.contains([' ', '\n', '\t']) {
        return None;
    }
    if rest.starts_with('/') {
        return Some([String::new(), String::new(), rest.to_owned(), query.to_owned()]);
    }
    let (scheme, rest) = rest.split_once("://")?;
    let scheme_fits = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c));
    let (host, path) = rest.find('/').map_or((rest, ""), |at| rest.split_at(at));
    let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
    scheme_fits.then(|| [scheme.to_lowercase(), host.to_owned(), path.to_owned(), query.to_owned()])
}

fn of_url<'a>(name: &str, [scheme, host, path, query]: &[String; 4]) -> Option<Outcome<'a>> {
    let (name_of_host, port) = match host.rsplit_once(':') {
        Some((name, port)) if !port.contains(']') => (name, port),
        _ => (host.as_str(), ""),
    };
    Some(Ok(match name {
        "getScheme" => Val::made(scheme),
        "getHost" => Val::made(host),
        "getHostname" => Val::made(name_of_host.trim_start_matches('[').trim_end_matches(']')),
        "getPort" => Val::made(port),
        "getEscapedPath" => Val::made(path),
        "getQuery" => {
            let mut all: Vec<(String, Vec<Val<'a>>)> = Vec::new();
            for pair in query.split('&').filter(|pair| !pair.is_empty()) {
                let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
                match all.iter_mut().find(|(known, _)| known == key) {
                    Some((_, values)) => values.push(Val::made(value)),
                    None => all.push((key.to_owned(), vec![Val::made(value)])),
                }
            }
            Val::Map(Rc::new(all.into_iter().map(|(key, values)| (Val::made(key), Val::list(values))).collect()))
        }
        _ => return None,
    }))
}
