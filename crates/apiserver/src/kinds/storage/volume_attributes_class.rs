//! VolumeAttributesClass: what a driver can change of a volume that exists. It never changes itself.

use nakhoda_api::Scope;
use nakhoda_api::field::{Errors, Path};
use nakhoda_api::kinds::storage::VolumeAttributesClass;

use super::storage_class::{parameters, provisioner};
use crate::kind::{Columns, Cx, Info, Kind};

/// The kind.
pub struct VolumeAttributesClasses;

impl Kind for VolumeAttributesClasses {
    type Object = VolumeAttributesClass;

    fn info() -> Info {
        Info {
            short: &["vac"],
            returns_deleted: true,
            ..Info::of::<VolumeAttributesClass>("volumeattributesclasses", "volumeattributesclass", Scope::Cluster)
        }
    }

    fn validate(_: &Cx, new: &VolumeAttributesClass, old: Option<&VolumeAttributesClass>, errors: &mut Errors) {
        let (driver, told) = (Path::new("driverName"), Path::new("parameters"));
        if let Some(old) = old {
            if new.driver_name != old.driver_name {
                errors.forbidden(&driver, "updates to driverName are forbidden.");
            }
            if new.parameters != old.parameters {
                errors.forbidden(&told, "updates to parameters are forbidden.");
            }
        }
        provisioner(errors, &driver, &new.driver_name);
        parameters(errors, &told, new.parameters.as_ref());
        if new.parameters.as_ref().is_none_or(|p| p.is_empty()) {
            errors.required(&told, "must contain at least one key/value pair");
        }
    }

    fn columns() -> Columns<VolumeAttributesClass> {
        Columns::<VolumeAttributesClass>::named().text("DriverName", |c, _| c.driver_name.clone().into()).age()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::kinds::testing::{create, update};

    #[test]
    fn a_class_says_something_and_never_changes() {
        assert_eq!(
            create::<VolumeAttributesClasses>(json!({"metadata": {"name": "a"}, "driverName": "d"})),
            "parameters: Required value: must contain at least one key/value pair"
        );
        let class = |value| json!({"metadata": {"name": "a"}, "driverName": "d", "parameters": {"iops": value}});
        assert_eq!(
            update::<VolumeAttributesClasses>(class("1"), class("2")),
            "parameters: Forbidden: updates to parameters are forbidden."
        );
    }
}
