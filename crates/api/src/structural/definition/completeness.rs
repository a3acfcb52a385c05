//! Whatever a condition at the root speaks of must also be described outside of all conditions. Conditions further
//! within are not looked at, as in upstream.

use crate::field::{Errors, Path};
use crate::structural::Schema;

/// `condition` stands at `told`, and speaks of what `schema` describes at `path`.
pub(super) fn check(condition: &Schema, schema: &Schema, path: &Path, told: &Path, errors: &mut Errors) {
    if let Some(not) = &condition.not {
        nested(not, Some(schema), path, &told.child("not"), errors);
    }
    for (name, schemas) in [("allOf", &condition.all_of), ("anyOf", &condition.any_of), ("oneOf", &condition.one_of)] {
        for (index, one) in schemas.iter().enumerate() {
            nested(one, Some(schema), path, &told.child(name).index(index), errors);
        }
    }
}

fn nested(condition: &Schema, schema: Option<&Schema>, path: &Path, told: &Path, errors: &mut Errors) {
    let Some(schema) = schema else {
        return errors.required(path, format!("because it is defined in {told}"));
    };
    check(condition, schema, path, told, errors);
    if let Some(item) = condition.item() {
        nested(item, schema.item(), &path.child("items"), &told.child("items"), errors);
    }
    for (name, property) in &condition.properties {
        let step = |path: &Path| path.child("properties").key(name);
        nested(property, schema.properties.get(name), &step(path), &step(told), errors);
    }
}
