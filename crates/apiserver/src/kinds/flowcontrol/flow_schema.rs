//! FlowSchema: which requests make a flow, and at which priority level they wait.

use nakhoda_api::Scope;
use nakhoda_api::field::{Errors, Path};
use nakhoda_api::kinds::flowcontrol::{FlowSchema, FlowSchemaSpec};
use serde_json::json;

use crate::bootstrap::flow;
use crate::kind::{Columns, Cx, Info, Kind, STATUS, STATUS_ONLY};
use crate::rules::check::{keep_metadata, keep_status, list, same, subdomain};

mod rule;

/// The kind.
pub struct FlowSchemas;

/// Of a schema that names none.
const PRECEDENCE: i32 = 1000;
const PRECEDENCE_MAX: i32 = 10_000;

impl Kind for FlowSchemas {
    type Object = FlowSchema;

    fn info() -> Info {
        Info {
            subresources: &[STATUS],
            resets: STATUS_ONLY,
            generation: true,
            ..Info::of::<FlowSchema>("flowschemas", "flowschema", Scope::Cluster)
        }
    }

    fn default(schema: &mut FlowSchema) {
        if schema.spec.matching_precedence.unwrap_or(0) == 0 {
            schema.spec.matching_precedence = Some(PRECEDENCE);
        }
    }

    fn prepare(cx: &Cx, new: &mut FlowSchema, old: Option<&FlowSchema>) {
        keep_status(cx, &mut new.status, old.map(|old| &old.status));
        keep_metadata(cx, &mut new.metadata, old.map(|old| &old.metadata));
    }

    fn validate(cx: &Cx, new: &FlowSchema, _: Option<&FlowSchema>, errors: &mut Errors) {
        let name = new.metadata.name.as_deref().unwrap_or_default();
        if cx.subresource.is_empty() {
            spec(errors, &Path::new("spec"), name, &new.spec);
        }
        let conditions = new.status.as_ref().map(|status| list(&status.conditions)).unwrap_or_default();
        types(errors, conditions.iter().map(|condition| condition.type_.as_str()));
    }

    fn columns() -> Columns<FlowSchema> {
        Columns::<FlowSchema>::named()
            .text("PriorityLevel", |s, _| s.spec.priority_level_configuration.name.clone().into())
            .text("MatchingPrecedence", |s, _| s.spec.matching_precedence.unwrap_or(0).into())
            .text("DistinguisherMethod", |s, _| {
                s.spec.distinguisher_method.as_ref().map_or("<none>", |method| &method.type_).into()
            })
            .age()
            .text("MissingPL", |s, _| missing(s).into())
    }
}

/// Whether the level that it names is missing, as far as anybody has looked.
fn missing(schema: &FlowSchema) -> String {
    let conditions = schema.status.as_ref().map(|status| list(&status.conditions)).unwrap_or_default();
    let dangling = conditions.iter().find(|condition| condition.type_ == "Dangling");
    dangling.map_or_else(|| "?".into(), |condition| condition.status.clone().unwrap_or_default())
}

fn spec(errors: &mut Errors, path: &Path, name: &str, spec: &FlowSchemaSpec) {
    let (at, precedence) = (path.child("matchingPrecedence"), spec.matching_precedence.unwrap_or(0));
    if precedence <= 0 {
        errors.invalid(&at, precedence, "must be a positive value");
    }
    if precedence > PRECEDENCE_MAX {
        errors.invalid(&at, precedence, format!("must not be greater than {PRECEDENCE_MAX}"));
    }
    if precedence == 1 && name != flow::EXEMPT {
        errors.invalid(&at, precedence, "only the schema named 'exempt' may have matchingPrecedence 1");
    }
    if let Some(method) = &spec.distinguisher_method
        && !["ByNamespace", "ByUser"].contains(&method.type_.as_str())
    {
        let at = path.child("distinguisherMethod").child("type");
        errors.not_supported(&at, json!({"Type": method.type_}), &["ByNamespace", "ByUser"]);
    }
    let at = path.child("priorityLevelConfiguration").child("name");
    match spec.priority_level_configuration.name.as_str() {
        "" => errors.required(&at, "must reference a priority level"),
        level => subdomain(errors, &at, level),
    }
    for (i, one) in list(&spec.rules).iter().enumerate() {
        rule::with_subjects(errors, &path.child("rules").index(i), one);
    }
    if let Some(fixed) = flow::mandatory_schema(name)
        && !same(&fixed.spec, spec)
    {
        let value = serde_json::to_value(spec).unwrap_or_default();
        errors.invalid(path, value, format!("spec of '{name}' must equal the fixed value"));
    }
}

/// Conditions, each of another type.
pub(super) fn types<'a>(errors: &mut Errors, types: impl Iterator<Item = &'a str>) {
    let (path, mut seen) = (Path::new("status.conditions"), Vec::new());
    for (i, type_) in types.enumerate() {
        let at = path.index(i).child("type");
        if seen.contains(&type_) {
            errors.duplicate(&at, type_);
        }
        seen.push(type_);
        if type_.is_empty() {
            errors.required(&at, "");
        }
    }
}

#[cfg(test)]
mod tests;
