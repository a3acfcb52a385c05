//! DeviceClass: devices of one sort, and how they are set up.

use nakhoda_api::Scope;
use nakhoda_api::field::{Errors, Path};
use nakhoda_api::kinds::resource::{DeviceClass, DeviceClassSpec};
use nakhoda_api::names;

use crate::kind::{Columns, Cx, Info, Kind};
use crate::rules::check::list;
use crate::rules::device;

/// The kind.
pub struct DeviceClasses;

impl Kind for DeviceClasses {
    type Object = DeviceClass;

    fn info() -> Info {
        Info {
            generation: true,
            returns_deleted: true,
            ..Info::of::<DeviceClass>("deviceclasses", "deviceclass", Scope::Cluster)
        }
    }

    fn validate(_: &Cx, new: &DeviceClass, _: Option<&DeviceClass>, errors: &mut Errors) {
        let (path, none) = (Path::new("spec"), DeviceClassSpec::default());
        let spec = new.spec.as_ref().unwrap_or(&none);
        device::selectors(errors, &path.child("selectors"), list(&spec.selectors));
        let configs = list(&spec.config).iter().map(|config| config.opaque.as_ref());
        device::configs(errors, &path.child("config"), configs);
        if let Some(name) = spec.extended_resource_name.as_deref().filter(|name| !is_extended(name)) {
            errors.invalid(&path.child("extendedResourceName"), name, "must be a valid extended resource name");
        }
    }

    fn columns() -> Columns<DeviceClass> {
        Columns::default()
    }
}

/// Whether pods may ask for the class as for an extended resource of this name.
fn is_extended(name: &str) -> bool {
    let native = !name.contains('/') || name.contains("kubernetes.io/") || name.starts_with("requests.");
    !native && names::is_qualified_name(&format!("requests.{name}")).is_empty()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::kinds::testing::create;

    #[test]
    fn settings_name_their_driver() {
        let class = |driver: &str| json!({"spec": {"config": [{"opaque": {"driver": driver, "parameters": {"a": 1}}}], "selectors": [{"cel": {"expression": "true"}}]}});
        assert_eq!(create::<DeviceClasses>(class("a.example.com")), "");
        assert_eq!(create::<DeviceClasses>(class("")), "spec.config[0].opaque.driver: Required value");
    }
}
