//! What a Service holds, and what it has to be given: by its type, by what it asks for, and by what it
//! had before (`pkg/registry/core/service/storage/alloc.go`).

use std::net::Ipv4Addr;

use nakhoda_api::field::{Errors, Path};
use nakhoda_api::{Object, Status, names};
use serde_json::{Value as Json, json};

use super::Space;
use super::claim::{Claim, Value, random_port};
use crate::verb::Call;

mod families;

const ADDRESS_PATH: &str = "spec.clusterIPs";
const HEALTH_PATH: &str = "spec.healthCheckNodePort";

/// What a stored Service holds.
pub(super) fn held(service: &Object) -> Vec<Claim> {
    let mut claims: Vec<Claim> =
        address(service).map(|address| asked(Value::Address(address), ADDRESS_PATH.into())).into_iter().collect();
    for (index, port) in ports(service).iter().enumerate() {
        add(&mut claims, port_of(port, "nodePort").map(|p| asked(Value::Port(p), port_path(index))));
    }
    let health = service.at(&["spec", "healthCheckNodePort"]).and_then(number);
    add(&mut claims, health.map(|port| asked(Value::Port(port), HEALTH_PATH.into())));
    claims
}

/// Writes into a Service what it is given, and tells what it holds then.
pub(super) fn settle(
    space: &Space,
    call: &Call,
    service: &mut Object,
    old: Option<&Object>,
) -> Result<Vec<Claim>, Status> {
    let mut claims = Vec::new();
    families::settle(call, service)?;
    nameable(call, service)?;
    settle_address(space, call, service, &mut claims)?;
    settle_ports(space, call, service, old, &mut claims)?;
    settle_health(space, call, service, old, &mut claims)?;
    Ok(claims)
}

/// Writes another value where a claim stood.
pub(super) fn replace(service: &mut Object, claim: &Claim, next: &Claim) {
    match (claim.value, next.value) {
        (_, Value::Address(address)) => write_address(service, &address.to_string()),
        (Value::Port(was), Value::Port(port)) => {
            let mut list = ports(service);
            for entry in &mut list {
                if port_of(entry, "nodePort") == Some(was) {
                    entry["nodePort"] = port.into();
                }
            }
            service.set_at(&["spec", "ports"], list.into());
            if service.at(&["spec", "healthCheckNodePort"]).and_then(number) == Some(was) {
                service.set_at(&["spec", "healthCheckNodePort"], port.into());
            }
        }
        (Value::Address(_), Value::Port(_)) => {}
    }
}

/// Upstream notes the address as the Service's before it looks at the Service's name, and that fails first.
fn nameable(call: &Call, service: &Object) -> Result<(), Status> {
    let given = service.str_at(&["spec", "clusterIP"]).unwrap_or_default();
    if kind(service) == "ExternalName" || given == "None" {
        return Ok(());
    }
    let faults = names::is_path_segment_name(service.name());
    let fault = match (service.name(), faults.first()) {
        ("", _) => "Required value".to_owned(),
        (name, Some(fault)) => format!("Invalid value: {name:?}: {fault}"),
        (_, None) => return Ok(()),
    };
    let address = call.pipeline.allocators().addresses.at(1);
    let why = format!(
        "failed to allocate IP: IPAddress.networking.k8s.io \"{address}\" is invalid: spec.parentRef.name: {fault}"
    );
    let mut errors = Errors::default();
    errors.invalid(&Path::new(ADDRESS_PATH), json!([given]), why);
    Err(Status::invalid(&call.kind.info.gvk.group_kind(), service.name(), &errors))
}

/// What cannot be an address is left for validation to tell.
fn settle_address(space: &Space, call: &Call, service: &mut Object, claims: &mut Vec<Claim>) -> Result<(), Status> {
    if kind(service) == "ExternalName" {
        return Ok(());
    }
    let given = service.str_at(&["spec", "clusterIP"]).unwrap_or_default().to_owned();
    let claim = match given.parse::<Ipv4Addr>() {
        _ if is_contradictory(service, &given) => return Ok(()),
        Ok(address) => asked(Value::Address(address), ADDRESS_PATH.into()),
        Err(_) if !given.is_empty() => return Ok(()),
        Err(_) => {
            let none = Claim { value: Value::Address(Ipv4Addr::UNSPECIFIED), path: ADDRESS_PATH.into(), asked: false };
            none.pick(space).ok_or_else(|| none.exhausted(call, service))?
        }
    };
    if let Value::Address(address) = claim.value {
        if !space.contains(address) {
            return Err(claim.out_of_range(call, service));
        }
        write_address(service, &address.to_string());
    }
    claims.push(claim);
    Ok(())
}

/// Whether the two fields for the address say different things.
fn is_contradictory(service: &Object, given: &str) -> bool {
    let all = service.at(&["spec", "clusterIPs"]).and_then(Json::as_array);
    all.is_some_and(|all| all.len() > 1 || all.first().is_some_and(|first| first.as_str() != Some(given)))
}

fn write_address(service: &mut Object, address: &str) {
    service.set_at(&["spec", "clusterIP"], address.into());
    service.set_at(&["spec", "clusterIPs"], json!([address]));
}

fn settle_ports(
    space: &Space,
    call: &Call,
    service: &mut Object,
    old: Option<&Object>,
    claims: &mut Vec<Claim>,
) -> Result<(), Status> {
    if !has_node_ports(service) && kind(service) != "LoadBalancer" {
        return Ok(());
    }
    let mut list = ports(service);
    let before = old.map(ports).unwrap_or_default();
    for index in 0..list.len() {
        let fixed =
            port_of(&list[index], "nodePort").or_else(|| kept(&list[index], &before)).or_else(|| shared(&list, index));
        let claim = match fixed {
            Some(port) => asked(Value::Port(port), port_path(index)),
            None if has_node_ports(service) => {
                Claim { value: fresh(space, claims), path: port_path(index), asked: false }
            }
            None => continue,
        };
        let Value::Port(port) = claim.value else { continue };
        if !space.ports.contains(port) {
            return Err(claim.out_of_range(call, service));
        }
        list[index]["nodePort"] = port.into();
        add(claims, Some(claim));
    }
    if !list.is_empty() {
        service.set_at(&["spec", "ports"], list.into());
    }
    Ok(())
}

fn settle_health(
    space: &Space,
    call: &Call,
    service: &mut Object,
    old: Option<&Object>,
    claims: &mut Vec<Claim>,
) -> Result<(), Status> {
    let needed = kind(service) == "LoadBalancer" && service.str_at(&["spec", "externalTrafficPolicy"]) == Some("Local");
    if !needed {
        return Ok(());
    }
    let port = |object: &Object| object.at(&["spec", "healthCheckNodePort"]).and_then(number);
    let claim = match port(service).or_else(|| old.and_then(port)) {
        Some(port) => asked(Value::Port(port), HEALTH_PATH.into()),
        None => Claim { value: fresh(space, claims), path: HEALTH_PATH.into(), asked: false },
    };
    if let Value::Port(port) = claim.value {
        if !space.ports.contains(port) {
            return Err(claim.out_of_range(call, service));
        }
        service.set_at(&["spec", "healthCheckNodePort"], port.into());
    }
    add(claims, Some(claim));
    Ok(())
}

/// A port that this Service does not hold already.
fn fresh(space: &Space, claims: &[Claim]) -> Value {
    loop {
        let value = random_port(space);
        if claims.len() > usize::from(space.ports.last - space.ports.first) || !claims.iter().any(|c| c.value == value)
        {
            return value;
        }
    }
}

/// The node port that the same port had before.
fn kept(port: &Json, before: &[Json]) -> Option<u16> {
    let same = |other: &&Json| ["port", "protocol"].iter().all(|field| other.get(field) == port.get(field));
    before.iter().find(same).and_then(|port| port_of(port, "nodePort"))
}

/// The node port of the same number under another protocol.
fn shared(list: &[Json], index: usize) -> Option<u16> {
    let port = &list[index];
    let other =
        list[..index].iter().find(|o| o.get("port") == port.get("port") && o.get("protocol") != port.get("protocol"));
    other.and_then(|port| port_of(port, "nodePort"))
}

fn has_node_ports(service: &Object) -> bool {
    match kind(service) {
        "NodePort" => true,
        "LoadBalancer" => service.at(&["spec", "allocateLoadBalancerNodePorts"]) != Some(&Json::Bool(false)),
        _ => false,
    }
}

fn kind(service: &Object) -> &str {
    service.str_at(&["spec", "type"]).unwrap_or("ClusterIP")
}

fn address(service: &Object) -> Option<Ipv4Addr> {
    service.str_at(&["spec", "clusterIP"])?.parse().ok()
}

fn ports(service: &Object) -> Vec<Json> {
    service.at(&["spec", "ports"]).and_then(Json::as_array).cloned().unwrap_or_default()
}

fn port_of(port: &Json, field: &str) -> Option<u16> {
    port.get(field).and_then(number)
}

fn number(value: &Json) -> Option<u16> {
    value.as_u64().and_then(|n| u16::try_from(n).ok()).filter(|n| *n != 0)
}

fn port_path(index: usize) -> String {
    format!("spec.ports[{index}].nodePort")
}

const fn asked(value: Value, path: String) -> Claim {
    Claim { value, path, asked: true }
}

fn add(claims: &mut Vec<Claim>, claim: Option<Claim>) {
    if let Some(claim) = claim.filter(|claim| !claims.iter().any(|c| c.same(claim))) {
        claims.push(claim);
    }
}
