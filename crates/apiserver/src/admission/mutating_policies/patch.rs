//! One mutation: what its expression makes, put into the object.

use nakhoda_api::cel::eval;
use nakhoda_api::cel::mutation::{self, Mutation};
use nakhoda_api::patch::{self, Operated};
use nakhoda_api::{Object, Reason, Status, apply, schema};

use super::configuration;
use crate::admission::policy::compiled::{Expression, Policy};
use crate::admission::policy::facts::{Facts, Scope};
use crate::kind::Served;

/// Why a mutation is not made.
pub(super) enum Fault {
    /// The policy is at fault: its failure policy decides.
    Told(String),
    /// The request is refused in any case.
    Refused(Box<Status>),
}

impl From<Status> for Fault {
    fn from(status: Status) -> Self {
        Self::Refused(Box::new(status))
    }
}

/// The object after the mutation; as it was if the operations of a patch test for what is not so.
pub(super) fn make(
    kind: Mutation,
    expression: &Expression,
    policy: &Policy,
    facts: &Facts,
    object: &Object,
    served: &Served,
) -> Result<Object, Fault> {
    let mut scope = Scope::of(facts, eval::PER_OBJECT);
    scope.define(&policy.variables);
    let value = scope.value(expression).map_err(Fault::Told)?;
    match kind {
        Mutation::JsonPatch => {
            let operations = mutation::operations(&value).map_err(Fault::Told)?;
            match patch::operate(object, &operations).map_err(|why| Fault::Told(format!("JSON Patch: {}", why.message)))? {
                Operated::Changed(changed) => Ok(read(*changed, served)?),
                Operated::Untested => Ok(object.clone()),
            }
        }
        Mutation::ApplyConfiguration => {
            let configuration = mutation::configuration(&value).map_err(Fault::Told)?;
            let merged = configuration::apply(&schema_of(served), object, configuration);
            Ok(read(merged.map_err(|why| Fault::Told(format!("error applying patch: {why}")))?, served)?)
        }
    }
}

/// How values of a kind are merged.
fn schema_of(served: &Served) -> apply::Schema {
    match served.strategy.schema() {
        Some(schema) => apply::Schema::structural(schema, false),
        None => apply::Schema::of(&served.info.gvk).unwrap_or_else(apply::Schema::deduced),
    }
}

/// The object as its kind reads it, strictly.
fn read(changed: Object, served: &Served) -> Result<Object, Status> {
    let internal = |why: String| Status::failure(500, Reason::InternalError, format!("Internal error occurred: {why}"));
    let decoded = schema::check(&changed, changed.gvk().as_ref()).map_err(|error| internal(error.to_string()))?;
    if !decoded.faults.is_empty() {
        return Err(internal(format!("strict decoding error: {}", decoded.faults.join(", "))));
    }
    let mut object = decoded.object;
    if object.gvk().as_ref() == Some(&served.info.gvk) {
        served.strategy.read(&mut object)?;
    }
    Ok(object)
}
