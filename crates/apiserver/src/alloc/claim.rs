//! One address or one port that a Service holds, and its key in the store.

use std::net::Ipv4Addr;

use bytes::Bytes;
use nakhoda_api::field::{Errors, Path};
use nakhoda_api::{Object, Status, time};
use nakhoda_store::store::Op;
use serde_json::json;

use super::Space;
use crate::verb::Call;

pub(super) const ADDRESSES: &str = "/registry/ipaddresses/";
/// The label that says who keeps an IPAddress.
pub(super) const MANAGED_BY: &str = "ipaddress.kubernetes.io/managed-by";
/// Who keeps those of Services.
pub(super) const MANAGER: &str = "ipallocator.k8s.io";
pub(super) const PORTS: &str = "/registry/nakhoda/nodeports/";

/// One thing that is held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// What.
    pub value: Value,
    /// Where it stands in the Service, as errors print it.
    pub path: String,
    /// The client named it, so no other will do.
    pub asked: bool,
}

/// What is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Value {
    /// A cluster address.
    Address(Ipv4Addr),
    /// A node port.
    Port(u16),
}

// === impl Claim ===

impl Claim {
    /// Its key.
    #[must_use]
    pub fn key(&self) -> Bytes {
        match self.value {
            Value::Address(address) => format!("{ADDRESSES}{address}").into(),
            Value::Port(port) => format!("{PORTS}{port}").into(),
        }
    }

    /// Whether both hold the same thing.
    #[must_use]
    pub fn same(&self, other: &Self) -> bool {
        self.value == other.value
    }

    /// The write that takes it for a Service.
    #[must_use]
    pub fn put(&self, call: &Call, service: &Object) -> Op {
        let parent = json!({"resource": "services", "namespace": service.namespace(), "name": service.name()});
        let value = match self.value {
            Value::Port(port) => json!({"port": port, "parentRef": parent}),
            Value::Address(address) => json!({
                "kind": "IPAddress",
                "apiVersion": "networking.k8s.io/v1",
                "metadata": {
                    "name": address,
                    "uid": uuid::Uuid::new_v4().to_string(),
                    "creationTimestamp": time::now_rfc3339(call.now),
                    "labels": {
                        "ipaddress.kubernetes.io/ip-family": "IPv4",
                        MANAGED_BY: MANAGER,
                    },
                },
                "spec": {"parentRef": parent},
            }),
        };
        Op::Put { key: self.key(), value: value.to_string().into(), ttl: None }
    }

    /// Another one of its kind, at random; `None` if none is known to be free.
    #[must_use]
    pub fn pick(&self, space: &Space) -> Option<Self> {
        let value = match self.value {
            Value::Address(_) => Value::Address(space.pick()?),
            Value::Port(_) => random_port(space),
        };
        Some(Self { value, ..self.clone() })
    }

    /// 422: somebody else holds it.
    #[must_use]
    pub fn refusal(&self, call: &Call, service: &Object) -> Status {
        let why = match self.value {
            Value::Address(address) => format!("failed to allocate IP {address}: provided IP is already allocated"),
            Value::Port(_) => "provided port is already allocated".into(),
        };
        self.invalid(call, service, &why)
    }

    /// 422: it cannot be given.
    #[must_use]
    pub fn out_of_range(&self, call: &Call, service: &Object) -> Status {
        let allocators = call.pipeline.allocators();
        let why = match self.value {
            Value::Address(address) => {
                format!("failed to allocate IP {address}: the provided network does not match the current range")
            }
            Value::Port(_) => {
                format!("provided port is not in the valid range. The range of valid ports is {}", allocators.ports)
            }
        };
        self.invalid(call, service, &why)
    }

    /// 500: there is none left.
    #[must_use]
    pub fn exhausted(&self, call: &Call, service: &Object) -> Status {
        let why = match self.value {
            Value::Address(_) => "failed to allocate a serviceIP: range is full",
            Value::Port(_) => "failed to allocate a nodePort: range is full",
        };
        Status::failure(
            500,
            nakhoda_api::Reason::InternalError,
            format!("{} {:?}: {why}", call.resource(), service.name()),
        )
    }

    fn invalid(&self, call: &Call, service: &Object, why: &str) -> Status {
        let mut errors = Errors::default();
        let value = match self.value {
            Value::Address(address) => json!([address]),
            Value::Port(port) => json!(port),
        };
        errors.invalid(&Path::new(self.path.clone()), value, why);
        Status::invalid(&call.kind.info.gvk.group_kind(), service.name(), &errors)
    }
}

pub(super) fn random_port(space: &Space) -> Value {
    Value::Port(rand::random_range(space.ports.first..=space.ports.last))
}
