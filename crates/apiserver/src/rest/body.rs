//! Request bodies, bounded.

use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use nakhoda_api::Status;

/// The longest body of a write: upstream's 3 MiB.
pub const LIMIT: usize = 3 << 20;
/// What is taken of a body that nobody reads: Go's 256 KiB.
const DRAINED: usize = 256 << 10;
/// And for how long.
const DRAINING: Duration = Duration::from_millis(500);

/// Reads a body whole; 413 if it is too long.
pub async fn read(body: &mut Body) -> Result<Bytes, Status> {
    match Limited::new(body, LIMIT).collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(Status::too_large(LIMIT)),
        Err(error) => Err(Status::bad_request(format!("the body of the request cannot be read: {error}"))),
    }
}

/// Takes what a client still sends of a body that nobody reads, so that its connection goes on.
pub async fn drain(body: &mut Body) {
    let rest = async {
        let mut left = DRAINED;
        while let Some(Ok(frame)) = body.frame().await {
            let length = frame.data_ref().map_or(0, Bytes::len);
            let Some(rest) = left.checked_sub(length) else { break };
            left = rest;
        }
    };
    // who sends nothing more is not waited for
    drop(tokio::time::timeout(DRAINING, rest).await);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_body_at_the_limit_is_read_and_one_beyond_is_refused() {
        assert!(read(&mut Body::from(vec![0; LIMIT])).await.is_ok_and(|b| b.len() == LIMIT));
        let error = read(&mut Body::from(vec![0; LIMIT + 1])).await.expect_err("refused");
        assert_eq!((error.code, error.message.as_str()), (413, "Request entity too large: limit is 3145728"));
    }
}
