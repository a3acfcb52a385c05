//! `/healthz`, `/livez` and `/readyz`, whole or one check of them.

use std::collections::BTreeSet;

use axum::body::Body;
use http::{HeaderValue, Response, StatusCode};
use nakhoda_api::Status;
use nakhoda_daemon::health::{Health, Probe};

use crate::rest::query::Query;
use crate::rest::reply;

const TEXT: &str = "text/plain; charset=utf-8";

/// Answers a probe, or one of its checks.
pub(super) fn serve(health: &Health, name: &str, check: &[&str], query: &Query) -> Result<Response<Body>, Status> {
    let probe = if name == "livez" { Probe::Live } else { Probe::Ready };
    let (ok, text) = match check {
        [] => {
            let excluded: BTreeSet<String> = query.all("exclude").map(Into::into).collect();
            let report = health.report(probe, name, query.has("verbose"), &excluded);
            (report.ok, report.text)
        }
        ["ping"] => (true, "ok".to_owned()),
        check => match health.one(&check.join("/")) {
            None => return Ok(reply::no_page()),
            Some(Ok(())) => (true, "ok".to_owned()),
            Some(Err(error)) => (false, format!("internal server error: {error}\n")),
        },
    };
    let code = if ok { StatusCode::OK } else { StatusCode::INTERNAL_SERVER_ERROR };
    let mut response = reply::plain(code, TEXT, text);
    response.headers_mut().insert("x-content-type-options", HeaderValue::from_static("nosniff"));
    Ok(response)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    #[test]
    fn one_failing_check_fails_the_probe_unless_it_is_excluded() {
        let health = Health::default();
        health.ready("etcd", Arc::new(|| Err("down".into())));
        let code = |name, check: &[&str], query| {
            serve(&health, name, check, &Query::parse(query)).map_or_else(|s| s.code, |r| r.status().as_u16())
        };
        assert_eq!(code("readyz", &[], ""), 500);
        assert_eq!(code("readyz", &[], "exclude=etcd"), 200);
        assert_eq!(code("livez", &[], ""), 200);
        assert_eq!(code("readyz", &["etcd"], ""), 500);
        assert_eq!(code("readyz", &["ping"], ""), 200);
        assert_eq!(code("readyz", &["other"], ""), 404);
    }
}
