//! From HTTP/1.1 to SPDY: the 101 answer, and the connection once it has gone on in the other protocol.

use axum::body::Body;
use http::header::{CONNECTION, UPGRADE};
use http::request::Parts;
use http::{HeaderValue, Response, StatusCode};
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use nakhoda_api::{Reason, Status};

use crate::{headers, spdy};

/// Names the protocol inside SPDY that a client offers, and the one that was chosen.
const STREAM_PROTOCOL: &str = "x-stream-protocol-version";

/// A connection in its new protocol, with the name of the chosen one inside it.
pub type Connection = (TokioIo<Upgraded>, &'static str);

/// The answer that agrees to SPDY, and the connection that comes of it; `None` if the client is gone.
/// `known` are the protocols inside SPDY, best first.
pub fn spdy(
    parts: &mut Parts,
    known: &[&'static str],
) -> Result<(Response<Body>, impl Future<Output = Option<Connection>> + Send + 'static), Status> {
    let offered: Vec<&str> = headers::elements(&parts.headers, STREAM_PROTOCOL).collect();
    let chosen = match known.iter().find(|known| offered.contains(known)) {
        Some(chosen) => *chosen,
        // clients of the first protocol offer nothing
        None if offered.is_empty() => known[known.len() - 1],
        None => {
            let text = format!("unable to negotiate protocol: client supports {offered:?}, server accepts {known:?}");
            return Err(Status::failure(403, Reason::Forbidden, text));
        }
    };
    let upgrade =
        parts.extensions.remove::<OnUpgrade>().ok_or_else(|| Status::bad_request("Upgrade request required"))?;
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let headers = response.headers_mut();
    headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
    headers.insert(UPGRADE, HeaderValue::from_static(spdy::PROTOCOL));
    headers.insert(STREAM_PROTOCOL, HeaderValue::from_static(chosen));
    let connection = async move {
        match upgrade.await {
            Ok(upgraded) => Some((TokioIo::new(upgraded), chosen)),
            Err(error) => {
                tracing::debug!(%error, "the client went before the upgrade");
                None
            }
        }
    };
    Ok((response, connection))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_protocol_that_nobody_knows_is_refused() {
        let (mut parts, ()) =
            http::Request::builder().header(STREAM_PROTOCOL, "v9").body(()).expect("valid").into_parts();
        assert!(spdy(&mut parts, &["v4.channel.k8s.io"]).is_err_and(|s| s.code == 403));
    }

    #[test]
    fn a_connection_that_cannot_be_upgraded_is_a_bad_request() {
        let (mut parts, ()) = http::Request::new(()).into_parts();
        assert!(spdy(&mut parts, &["v4.channel.k8s.io"]).is_err_and(|s| s.code == 400));
    }
}
