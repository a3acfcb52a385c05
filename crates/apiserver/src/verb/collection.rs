//! DELETECOLLECTION: each object of a consistent list by itself; one that is gone meanwhile is no error.

use futures::{StreamExt, TryStreamExt, stream};
use nakhoda_api::{Reason, Status};

use super::{Call, delete, list};
use crate::request::{Deletion, ListOptions};
use crate::response::{Answer, Response};

/// So many at a time.
const WORKERS: usize = 16;

/// Deletes a selection; answers with the list of what was selected.
pub async fn delete(call: &Call, deletion: Deletion, options: ListOptions) -> Result<Response, Status> {
    let response = list::list(call, &options).await?;
    let (asked, given) = delete::settle(call, deletion)?;
    if let Answer::List { items, .. } = &response.answer {
        let calls: Vec<Call> = items.iter().map(|item| call.on(&call.kind, item.namespace(), item.name())).collect();
        stream::iter(calls)
            .map(|call| {
                let (asked, options) = (&asked, &given);
                async move { delete::one(&call, asked, options).await }
            })
            .buffer_unordered(WORKERS)
            .map(|outcome| match outcome {
                Err(status) if status.is(Reason::NotFound) => Ok(()),
                other => other.map(|_| ()),
            })
            .try_collect::<()>()
            .await?;
    }
    Ok(response)
}
