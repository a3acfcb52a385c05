//! Arguments of plugins, as a configuration file has them (`pluginConfig[].args`).

use nakhoda_api::field::{Errors, Path};
use serde::de::DeserializeOwned;
use serde_json::Value;

/// Reads arguments; what cannot be read is a fault, and then they are as if nothing was said.
pub fn read<T: DeserializeOwned + Default>(args: &Value, path: &Path, errors: &mut Errors) -> T {
    let mut args = args.clone();
    if let Some(object) = args.as_object_mut() {
        object.remove("apiVersion");
        object.remove("kind");
    }
    if args.is_null() {
        return T::default();
    }
    serde_json::from_value(args).unwrap_or_else(|error| {
        errors.unfit(path, error.to_string());
        T::default()
    })
}
