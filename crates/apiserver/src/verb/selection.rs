//! Which objects of a collection a request is about.

use std::sync::Arc;

use nakhoda_api::Status;
use nakhoda_api::selector::{FieldSelector, LabelSelector, Labels};
use nakhoda_store::cache::{Filter, Item, Matches, Shape};

use super::Call;
use crate::request::ListOptions;

/// The filter of a list or a watch, and the fields that it cannot look at, as only objects that were converted have
/// them; 400 if a selector cannot be read or names an unknown field.
pub fn filter(call: &Call, options: &ListOptions) -> Result<(Filter, Option<FieldSelector>), Status> {
    let bad = |error: nakhoda_api::selector::SelectorError| Status::bad_request(error.to_string());
    let labels = LabelSelector::parse(&options.labels).map_err(bad)?;
    let fields = FieldSelector::parse(&options.fields).map_err(bad)?;
    check_fields(call, &fields)?;
    let shape = call.pipeline.storage().shape(&call.kind.info);
    let namespace = call.namespace();
    let asked = fields.required("metadata.namespace").map(str::to_owned);
    let hot = shape.hot().and_then(|hot| fields.required(hot)).filter(|value| !value.is_empty()).map(str::to_owned);
    let name = match (call.target.name.as_str(), fields.required("metadata.name")) {
        ("", asked) => asked.map(str::to_owned),
        (name, None) => Some(name.to_owned()),
        (name, Some(asked)) if name == asked => Some(name.to_owned()),
        _ => return Err(Status::bad_request("fieldSelector metadata.name doesn't match requested name")),
    };
    let own = |field: &str| !field.starts_with("metadata.");
    let late = call.kind.strategy.settles() && fields.terms().iter().any(|term| own(&term.field));
    let (fields, late) = if late { (FieldSelector::default(), Some(fields)) } else { (fields, None) };
    let filter = Filter {
        namespace: if namespace.is_empty() { asked } else { Some(namespace.to_owned()) },
        name,
        hot,
        matches: matches(labels, fields),
    };
    Ok((filter, late))
}

fn matches(labels: LabelSelector, fields: FieldSelector) -> Option<Matches> {
    let rest =
        !fields.terms().iter().all(|term| term.field == "metadata.name" && fields.required("metadata.name").is_some());
    match (labels.is_everything(), rest) {
        (true, false) => None,
        (false, false) => Some(Arc::new(move |item: &Item| labels.matches(&Labelled(item)))),
        (true, true) => Some(Arc::new(move |item: &Item| fields.holds(|name| item.field(name)))),
        (false, true) => {
            Some(Arc::new(move |item: &Item| labels.matches(&Labelled(item)) && fields.holds(|name| item.field(name))))
        }
    }
}

/// The labels of an item.
struct Labelled<'a>(&'a Item);

impl Labels for Labelled<'_> {
    fn value(&self, key: &str) -> Option<&str> {
        self.0.label(key)
    }
}

fn check_fields(call: &Call, fields: &FieldSelector) -> Result<(), Status> {
    let known = call.kind.strategy.field_names();
    for term in fields.terms() {
        if known.iter().any(|name| *name == term.field) {
            continue;
        }
        let plain = known.iter().all(|name| name.starts_with("metadata."));
        return Err(Status::bad_request(if plain {
            format!("{:?} is not a known field selector: only \"metadata.name\", \"metadata.namespace\"", term.field)
        } else {
            format!("field label not supported: {}", term.field)
        }));
    }
    Ok(())
}
