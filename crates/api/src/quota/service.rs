//! Services.

use jiff::Timestamp;

use super::{Measured, one};
use crate::kinds::core::{Service, ServicePort};
use crate::quantity::{Format, Quantity};
use crate::resources::Amounts;

const COUNT: &str = "count/services";
const NODE_PORTS: &str = "services.nodeports";
const LOAD_BALANCERS: &str = "services.loadbalancers";

pub(super) const NAMES: [&str; 4] = [COUNT, "services", NODE_PORTS, LOAD_BALANCERS];

impl Measured for Service {
    /// Node ports may not be given out yet: what counts is how many the service will have.
    fn usage(&self, _: Timestamp) -> Amounts {
        let spec = self.spec.as_ref();
        let type_ = spec.and_then(|s| s.type_.as_deref()).unwrap_or_default();
        let chosen = spec.and_then(|s| s.allocate_load_balancer_node_ports) == Some(false) && type_ == "LoadBalancer";
        let counts = |port: &&ServicePort| !chosen || port.node_port.is_some_and(|number| number != 0);
        let ports = spec.iter().filter_map(|s| s.ports.as_ref()).flatten().filter(counts).count();
        let open = ["NodePort", "LoadBalancer"].contains(&type_);
        let ports = i64::try_from(if open { ports } else { 0 }).unwrap_or(i64::MAX);
        let balancers = i64::from(type_ == "LoadBalancer");
        let number = |number| Quantity::new(number, Format::DecimalSi);
        Amounts::from([
            (COUNT.into(), one()),
            ("services".into(), one()),
            (NODE_PORTS.into(), number(ports)),
            (LOAD_BALANCERS.into(), number(balancers)),
        ])
    }
}
