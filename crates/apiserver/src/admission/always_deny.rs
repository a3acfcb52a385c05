//! AlwaysDeny: nothing is changed any more. Off unless it is asked for.

use futures::future::BoxFuture;
use nakhoda_api::{Object, Status};

use super::{Attributes, Plugin};

/// The plugin.
pub struct AlwaysDeny;

impl Plugin for AlwaysDeny {
    fn name(&self) -> &'static str {
        "AlwaysDeny"
    }

    fn handles(&self, _: &Attributes<'_>) -> bool {
        true
    }

    fn mutate<'a>(
        &'a self,
        attributes: &'a Attributes<'a>,
        object: &'a mut Object,
    ) -> BoxFuture<'a, Result<(), Status>> {
        self.validate(attributes, Some(object))
    }

    fn validate<'a>(
        &'a self,
        attributes: &'a Attributes<'a>,
        object: Option<&'a Object>,
    ) -> BoxFuture<'a, Result<(), Status>> {
        let refused = attributes.forbidden(object, "admission control is denying all modifications");
        Box::pin(async move { Err(refused) })
    }
}
