//! What the API tells of devices and claims to them, taken into the cluster.

use nakhoda_api::kinds::resource::{DeviceClass, DeviceTaintRule, ResourceClaim, ResourceSlice};
use nakhoda_client::{Change, Key, Resource};

use super::Engine;
use super::volumes::split;
use crate::framework::Changes;

// === impl Engine ===

impl Engine {
    pub(super) fn on_device_claim(&mut self, change: Change<ResourceClaim>) {
        match split(change) {
            Ok(claim) => self.cluster.devices_mut().set_claim(claim),
            Err(claim) => self.cluster.devices_mut().remove_claim(&Key::of(&*claim)),
        }
        self.stir(Changes::DEVICES);
    }

    pub(super) fn on_slice(&mut self, change: Change<ResourceSlice>) {
        match split(change) {
            Ok(slice) => self.cluster.devices_mut().set_slice(slice),
            Err(slice) => self.cluster.devices_mut().remove_slice(slice.name()),
        }
        self.stir(Changes::DEVICES);
    }

    pub(super) fn on_device_class(&mut self, change: Change<DeviceClass>) {
        match split(change) {
            Ok(class) => self.cluster.devices_mut().set_class(class.name(), Some(class.clone())),
            Err(class) => self.cluster.devices_mut().set_class(class.name(), None),
        }
        self.stir(Changes::DEVICES);
    }

    pub(super) fn on_taint_rule(&mut self, change: Change<DeviceTaintRule>) {
        match split(change) {
            Ok(rule) => self.cluster.devices_mut().set_rule(rule.name(), Some(rule.clone())),
            Err(rule) => self.cluster.devices_mut().set_rule(rule.name(), None),
        }
        self.stir(Changes::DEVICES);
    }
}
