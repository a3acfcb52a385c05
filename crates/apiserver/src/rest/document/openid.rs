//! How others check the tokens that are issued here: OpenID's provider document and the public keys.

use axum::body::Body;
use http::header::CACHE_CONTROL;
use http::{HeaderValue, Response, StatusCode};
use nakhoda_api::Status;
use serde_json::json;

use crate::rest::{Front, reply};

/// Answers both documents; 404 if no tokens are issued.
pub(super) fn serve(front: &Front, segments: &[&str]) -> Result<Response<Body>, Status> {
    let issuer = front.issuer.as_ref().ok_or_else(Status::no_such_path)?;
    let (kind, document) = match segments {
        ["openid", ..] => ("application/jwk-set+json", issuer.jwks()),
        _ => (
            "application/json",
            json!({
                "issuer": issuer.url,
                "jwks_uri": format!("https://{}/openid/v1/jwks", front.advertised),
                "response_types_supported": ["id_token"],
                "subject_types_supported": ["public"],
                "id_token_signing_alg_values_supported": issuer.algorithms(),
            }),
        ),
    };
    let mut response = reply::plain(StatusCode::OK, kind, document.to_string());
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("public, max-age=3600"));
    Ok(response)
}
