//! `status.storedVersions`: in which versions objects may lie in the store.

use nakhoda_api::field::{Errors, Path};
use nakhoda_api::kinds::apiextensions::CustomResourceDefinitionVersion;

pub(super) fn check(stored: Option<&Vec<String>>, versions: &[CustomResourceDefinitionVersion], errors: &mut Errors) {
    let path = Path::new("status").child("storedVersions");
    let Some(stored) = stored.filter(|stored| !stored.is_empty()) else {
        return errors.invalid(&path, serde_json::Value::Null, "must have at least one stored version");
    };
    for version in versions.iter().filter(|version| version.storage && !stored.contains(&version.name)) {
        errors.invalid(&path, stored.clone(), format!("must have the storage version {}", version.name));
    }
    for (index, name) in stored.iter().enumerate() {
        if !versions.iter().any(|version| version.name == *name) {
            let why = format!(
                "missing from spec.versions; {name} was previously a storage version, and must remain in spec.versions until a storage migration ensures no data remains persisted in {name} and removes {name} from status.storedVersions"
            );
            errors.invalid(&path.index(index), name.as_str(), why);
        }
    }
}
