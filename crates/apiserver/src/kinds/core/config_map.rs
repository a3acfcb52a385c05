//! ConfigMap: configuration as text; once marked immutable its data stays.

use nakhoda_api::Scope;
use nakhoda_api::field::{Errors, Path};
use nakhoda_api::kinds::core::ConfigMap;
use nakhoda_api::names;

use crate::kind::{Columns, Cx, Info, Kind};
use crate::rules::check::{DATA_LIMIT, data, each, frozen};

/// The kind.
pub struct ConfigMaps;

impl Kind for ConfigMaps {
    type Object = ConfigMap;

    fn info() -> Info {
        Info { short: &["cm"], ..Info::of::<ConfigMap>("configmaps", "configmap", Scope::Namespaced) }
    }

    fn validate(_: &Cx, new: &ConfigMap, old: Option<&ConfigMap>, errors: &mut Errors) {
        if let Some(old) = old.filter(|o| o.immutable == Some(true)) {
            frozen(errors, "immutable", &new.immutable, &old.immutable);
            frozen(errors, "data", &new.data, &old.data);
            frozen(errors, "binaryData", &new.binary_data, &old.binary_data);
        }
        let path = Path::new("data");
        let mut size = 0;
        for (key, value) in new.data.iter().flatten() {
            each(errors, &path.key(key), key.as_str(), names::is_config_map_key(key));
            if new.binary_data.as_ref().is_some_and(|b| b.contains_key(key)) {
                errors.invalid(&path.key(key), key.as_str(), "duplicate of key present in binaryData");
            }
            size += value.len();
        }
        size += data(errors, &Path::new("binaryData"), new.binary_data.as_ref());
        if size > DATA_LIMIT {
            // so prints upstream a path without a name
            errors.too_long(&Path::new("[]"), DATA_LIMIT);
        }
    }

    fn columns() -> Columns<ConfigMap> {
        Columns::<ConfigMap>::named()
            .text("Data", |m, _| {
                (m.data.as_ref().map_or(0, |d| d.len()) + m.binary_data.as_ref().map_or(0, |d| d.len())).into()
            })
            .age()
    }
}

#[cfg(test)]
mod tests {
    use crate::kinds::testing::{create, update};

    use super::*;

    #[test]
    fn keys_become_file_names_and_stand_in_one_place_only() {
        let errors = create::<ConfigMaps>(serde_json::json!({"data": {"a": "", "..": ""}, "binaryData": {"a": ""}}));
        assert_eq!(
            errors,
            "[data[..]: Invalid value: \"..\": must not be '..', data[a]: Invalid value: \"a\": duplicate of key present in binaryData]"
        );
    }

    #[test]
    fn an_immutable_map_keeps_its_data() {
        let old = serde_json::json!({"immutable": true, "data": {"a": "1"}});
        let new = serde_json::json!({"data": {"a": "2"}});
        assert_eq!(
            update::<ConfigMaps>(old, new),
            "[immutable: Forbidden: field is immutable when `immutable` is set, data: Forbidden: field is immutable when `immutable` is set]"
        );
    }
}
