//! FlowSchemas and priority levels that every cluster has (`k8s.io/apiserver/pkg/apis/flowcontrol/bootstrap`): two of each
//! are mandatory and always as they are here; the others are suggested, made on the first start, and kept current as
//! long as their annotation allows.

use std::sync::LazyLock;

use nakhoda_api::kinds::flowcontrol::{FlowSchema, PriorityLevelConfiguration};
use nakhoda_api::{GroupVersionResource, Object, Reason, Status};
use serde::Serialize;
use serde_json::Value;

use crate::pipeline::Pipeline;
use crate::request::{Action, Body, ResourceTarget, Write, WriteOptions};
use crate::rules::check::same;

mod seeds;

/// The name of the schema and of the level that nothing bounds.
pub const EXEMPT: &str = "exempt";
/// The name of the schema and of the level of everything else.
pub const CATCH_ALL: &str = "catch-all";
/// Whether an object follows what the server suggests.
const FOLLOWS: &str = "apf.kubernetes.io/autoupdate-spec";

static SCHEMAS: LazyLock<Vec<FlowSchema>> = LazyLock::new(seeds::schemas);
static LEVELS: LazyLock<Vec<PriorityLevelConfiguration>> = LazyLock::new(seeds::levels);

/// All schemas.
#[must_use]
pub fn schemas() -> &'static [FlowSchema] {
    &SCHEMAS
}

/// All levels.
#[must_use]
pub fn levels() -> &'static [PriorityLevelConfiguration] {
    &LEVELS
}

/// The schema of a name, if it is mandatory.
#[must_use]
pub fn mandatory_schema(name: &str) -> Option<FlowSchema> {
    let named = |schema: &&FlowSchema| schema.metadata.name.as_deref() == Some(name);
    SCHEMAS.iter().filter(|_| is_mandatory(name)).find(named).cloned()
}

/// The level of a name, if it is mandatory.
#[must_use]
pub fn mandatory_level(name: &str) -> Option<PriorityLevelConfiguration> {
    let named = |level: &&PriorityLevelConfiguration| level.metadata.name.as_deref() == Some(name);
    LEVELS.iter().filter(|_| is_mandatory(name)).find(named).cloned()
}

fn is_mandatory(name: &str) -> bool {
    name == EXEMPT || name == CATCH_ALL
}

/// Makes what is missing and mends what was changed. The suggested ones are made only where the mandatory ones were
/// never made: who has deleted one does not want it.
pub async fn ensure(pipeline: &Pipeline) -> Result<(), Status> {
    let first = pipeline.storage().get::<PriorityLevelConfiguration>("", EXEMPT).is_none();
    for level in levels() {
        put(pipeline, "prioritylevelconfigurations", level, first).await?;
    }
    for schema in schemas() {
        put(pipeline, "flowschemas", schema, first).await?;
    }
    Ok(())
}

async fn put<T: Serialize>(pipeline: &Pipeline, resource: &str, wanted: &T, first: bool) -> Result<(), Status> {
    let value = serde_json::to_value(wanted).map_err(|error| Status::internal(&error))?;
    let wanted = Object::from_value(value).map_err(|error| Status::internal(&error))?;
    let mut target = ResourceTarget {
        gvr: GroupVersionResource::new("flowcontrol.apiserver.k8s.io", "v1", resource),
        ..ResourceTarget::default()
    };
    let mandatory = is_mandatory(wanted.name());
    let done = match pipeline.storage().item(&target.gvr, "", wanted.name()) {
        None if mandatory || first => pipeline.internal(target, Action::Create(write(wanted))).await,
        None => return Ok(()),
        Some(item) => {
            let found = Object::from_json(item.json()).map_err(|error| Status::internal(&error))?;
            let Some(mended) = mended(found, &wanted, mandatory) else { return Ok(()) };
            target.name = mended.name().into();
            pipeline.internal(target, Action::Update(write(mended))).await
        }
    };
    match done {
        // another server does the same
        Err(status) if status.is(Reason::AlreadyExists) || status.is(Reason::Conflict) => Ok(()),
        other => other.map(drop),
    }
}

fn write(object: Object) -> Write {
    Write { body: Body::Object(Box::new(object)), options: WriteOptions::default() }
}

/// The object as it should be, if it is not. What its annotation does not say, its generation does: an object that
/// somebody has changed is his.
fn mended(mut found: Object, wanted: &Object, mandatory: bool) -> Option<Object> {
    let said = found.annotations().find(|(key, _)| *key == FOLLOWS).map(|(_, value)| value.to_owned());
    let follows = match said.as_deref() {
        Some("true") => true,
        Some("false") => false,
        _ => found.at(&["metadata", "generation"]).and_then(Value::as_i64) == Some(1),
    };
    let follows = mandatory || follows;
    let spec = |object: &Object| object.at(&["spec"]).cloned().unwrap_or_default();
    let (right, annotation) = (same(&spec(&found), &spec(wanted)), follows.to_string());
    if said.as_ref() == Some(&annotation) && (right || !follows) {
        return None;
    }
    // the exempt level's own numbers are the administrator's
    let exempt = found.at(&["spec", EXEMPT]).cloned();
    if follows && !right {
        found.set_at(&["spec"], spec(wanted));
        if let (true, Some(numbers)) = (mandatory, exempt) {
            found.set_at(&["spec", EXEMPT], numbers);
        }
    }
    found.set_at(&["metadata", "annotations", FOLLOWS], annotation.into());
    Some(found)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn object(spec: i64, generation: i64, said: Option<&str>) -> Object {
        let annotations = said.map(|said| json!({FOLLOWS: said}));
        Object::from_value(json!({
            "metadata": {"name": "a", "generation": generation, "annotations": annotations}, "spec": {"n": spec},
        }))
        .expect("an object")
    }

    #[test]
    fn what_an_administrator_has_changed_is_his() {
        let wanted = object(1, 1, Some("true"));
        let spec = |object: &Object| object.at(&["spec", "n"]).and_then(Value::as_i64);
        assert_eq!(mended(object(2, 5, Some("false")), &wanted, false), None);
        assert_eq!(mended(object(1, 1, Some("true")), &wanted, false), None);
        assert_eq!(spec(&mended(object(2, 5, Some("true")), &wanted, false).expect("mended")), Some(1));
        let marked = mended(object(2, 5, None), &wanted, false).expect("marked");
        assert_eq!((spec(&marked), marked.annotations().next()), (Some(2), Some((FOLLOWS, "false"))));
        assert_eq!(spec(&mended(object(2, 5, Some("false")), &wanted, true).expect("mended")), Some(1));
    }
}
