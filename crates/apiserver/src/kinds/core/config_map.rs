//! ConfigMap: configuration as text; once marked immutable its data stays.

use nakhoda_api::Scope;
use nakhoda_api::field::{Errors, Path};
use nakhoda_api::kinds::core::ConfigMap;

use crate::kind::{Columns, Cx, Info, Kind};

/// The kind.
pub struct ConfigMaps;

impl Kind for ConfigMaps {
    type Object = ConfigMap;

    fn info() -> Info {
        Info { short: &["cm"], ..Info::of::<ConfigMap>("configmaps", "configmap", Scope::Namespaced) }
    }

    fn validate(_: &Cx, new: &ConfigMap, old: Option<&ConfigMap>, errors: &mut Errors) {
        let frozen = "field is immutable when `immutable` is set";
        let Some(old) = old.filter(|o| o.immutable == Some(true)) else { return };
        if new.immutable != Some(true) {
            errors.push(&Path::new("immutable"), nakhoda_api::field::Fault::Forbidden, frozen);
        }
        if new.data != old.data {
            errors.push(&Path::new("data"), nakhoda_api::field::Fault::Forbidden, frozen);
        }
        if new.binary_data != old.binary_data {
            errors.push(&Path::new("binaryData"), nakhoda_api::field::Fault::Forbidden, frozen);
        }
    }

    fn columns() -> Columns<ConfigMap> {
        Columns::named()
            .number("Data", |m, _| {
                (m.data.as_ref().map_or(0, |d| d.len()) + m.binary_data.as_ref().map_or(0, |d| d.len())).into()
            })
            .age()
    }
}
