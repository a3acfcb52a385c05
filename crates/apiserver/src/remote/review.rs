//! Questions to webhooks that review: JSON there and back, asked again where the server only stumbled.

use std::time::Duration;

use bytes::Bytes;
use http::StatusCode;
use serde_json::Value;

use super::{Failure, Server};

/// How often a question is put at most (upstream's default for the webhooks of authentication and authorization).
const TRIES: u32 = 5;
/// The first pause between two tries; each next one is half as long again.
const PAUSE: Duration = Duration::from_millis(500);

/// Why a question has no answer.
#[derive(Debug, thiserror::Error)]
pub enum ReviewError {
    /// The server was not reached.
    #[error(transparent)]
    Failure(#[from] Failure),
    /// It refused.
    #[error("unexpected response: {0}")]
    Code(StatusCode),
    /// It does not speak JSON.
    #[error("the answer is no JSON")]
    Json(#[from] serde_json::Error),
}

// === impl Server ===

impl Server {
    /// Puts a question; each try may take so long.
    pub async fn review(&self, question: &Value, within: Duration) -> Result<Value, ReviewError> {
        let body = Bytes::from(question.to_string());
        let (mut pause, mut left) = (PAUSE, TRIES);
        loop {
            let answer = self.post(body.clone(), within).await?;
            if answer.code.is_success() {
                return Ok(serde_json::from_slice(&answer.body)?);
            }
            left -= 1;
            if left == 0 || !stumbled(answer.code) {
                return Err(ReviewError::Code(answer.code));
            }
            tokio::time::sleep(pause).await;
            pause = pause * 3 / 2;
        }
    }
}

/// Whether the same question may be answered later.
fn stumbled(code: StatusCode) -> bool {
    matches!(code, StatusCode::INTERNAL_SERVER_ERROR | StatusCode::GATEWAY_TIMEOUT | StatusCode::TOO_MANY_REQUESTS)
}
