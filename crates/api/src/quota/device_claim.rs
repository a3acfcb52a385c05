//! ResourceClaims.

use jiff::Timestamp;

use super::{Measured, one};
use crate::kinds::resource::ResourceClaim;
use crate::quantity::{Format, Quantity};
use crate::resources::{Amounts, add, raise};

const COUNT: &str = "count/resourceclaims.resource.k8s.io";
/// After the name of a device class: how many of its devices.
const OF_CLASS: &str = ".deviceclass.resource.k8s.io/devices";
/// No claim gets more devices than these.
const MOST: i64 = 32;

pub(super) fn counts(name: &str) -> bool {
    name == COUNT || name.ends_with(OF_CLASS)
}

/// The most devices that a request may come to.
fn devices(class: &str, mode: Option<&str>, count: Option<i64>) -> Amounts {
    let number = match mode {
        Some("ExactCount") | None => count.unwrap_or(1),
        Some("All") => MOST,
        Some(_) => 0,
    };
    Amounts::from([(format!("{class}{OF_CLASS}"), Quantity::new(number, Format::DecimalSi))])
}

impl Measured for ResourceClaim {
    fn usage(&self, _: Timestamp) -> Amounts {
        let mut usage = Amounts::from([(COUNT.into(), one())]);
        for request in self.spec.iter().filter_map(|s| s.devices.as_ref()).filter_map(|d| d.requests.as_ref()).flatten()
        {
            let mut most = Amounts::new();
            for choice in request.first_available.iter().flatten() {
                raise(&mut most, devices(&choice.device_class_name, choice.allocation_mode.as_deref(), choice.count));
            }
            if let Some(exact) = request.exactly.as_ref().filter(|_| most.is_empty()) {
                most = devices(&exact.device_class_name, exact.allocation_mode.as_deref(), exact.count);
            }
            add(&mut usage, &most);
        }
        usage
    }
}
