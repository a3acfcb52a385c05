//! How many requests came, how they ended, how long they took (`apiserver_request_total`,
//! `apiserver_request_duration_seconds`).
//!
//! Only resources that are served are counted, so that nobody can fill memory with invented names.
//! Watches and streams are counted when they are opened, and not timed.

use std::time::Duration;

use http::{Method, StatusCode};
use nakhoda_daemon::metrics::Metrics;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;

use crate::kinds::Kinds;
use crate::rest::path::Located;

const BUCKETS: [f64; 12] = [0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.8, 1.5, 3.0, 8.0, 20.0, 60.0];

/// The requests of the front.
#[derive(Clone)]
pub struct Requests {
    total: Family<Labels, Counter>,
    duration: Family<Labels, Histogram>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Labels {
    verb: &'static str,
    group: String,
    version: String,
    resource: String,
    subresource: String,
    scope: &'static str,
    code: Option<u16>,
}

// === impl Requests ===

impl Requests {
    /// Registers the metrics.
    #[must_use]
    pub fn new(metrics: &Metrics) -> Self {
        let histogram: fn() -> Histogram = || Histogram::new(BUCKETS);
        Self {
            total: metrics.register("apiserver_request", "Requests by verb, resource and code", Family::default()),
            duration: metrics.register(
                "apiserver_request_duration_seconds",
                "Seconds until the head of the answer",
                Family::new_with_constructor(histogram),
            ),
        }
    }

    /// Counts one request for a resource.
    pub fn count(&self, kinds: &Kinds, asked: &Request<'_>, code: StatusCode, took: Duration) {
        let target = &asked.located.target;
        let Some(kind) = kinds.get(&target.gvr) else { return };
        if !target.subresource.is_empty() && kind.info.sub(&target.subresource).is_none() {
            return;
        }
        let labels = Labels {
            verb: asked.verb(),
            group: target.gvr.group.clone(),
            version: target.gvr.version.clone(),
            resource: target.gvr.resource.clone(),
            subresource: target.subresource.clone(),
            scope: scope(asked.located),
            code: Some(code.as_u16()),
        };
        self.total.get_or_create(&labels).inc();
        if !matches!(labels.verb, "WATCH" | "CONNECT") {
            self.duration.get_or_create(&Labels { code: None, ..labels }).observe(took.as_secs_f64());
        }
    }
}

/// What is told about a request.
pub struct Request<'a> {
    /// The HTTP method.
    pub method: &'a Method,
    /// What it was about.
    pub located: &'a Located,
    /// Whether it asked to follow a collection.
    pub watch: bool,
    /// Whether it opened a stream.
    pub stream: bool,
}

// === impl Request ===

impl Request<'_> {
    fn verb(&self) -> &'static str {
        let named = !self.located.target.name.is_empty();
        match *self.method {
            _ if self.stream => "CONNECT",
            Method::GET | Method::HEAD if self.located.watch || self.watch && !named => "WATCH",
            Method::GET | Method::HEAD if named => "GET",
            Method::GET | Method::HEAD => "LIST",
            Method::POST => "POST",
            Method::PUT => "PUT",
            Method::PATCH => "PATCH",
            Method::DELETE if named => "DELETE",
            Method::DELETE => "DELETECOLLECTION",
            _ => "other",
        }
    }
}

fn scope(located: &Located) -> &'static str {
    match (located.target.name.is_empty(), located.target.namespace.is_empty()) {
        (false, _) => "resource",
        (true, false) => "namespace",
        (true, true) => "cluster",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rest::path::Route;

    fn count(requests: &Requests, path: &str) {
        let Route::Resource(located) = Route::parse(path) else { panic!("not a resource") };
        let asked = Request { method: &Method::GET, located: &located, watch: false, stream: false };
        requests.count(&Kinds::built_in(), &asked, StatusCode::OK, Duration::from_millis(3));
    }

    #[test]
    fn only_what_is_served_is_counted() {
        let metrics = Metrics::default();
        let requests = Requests::new(&metrics);
        count(&requests, "/api/v1/namespaces/a/configmaps");
        count(&requests, "/api/v1/namespaces/a/inventions");
        count(&requests, "/api/v1/namespaces/a/configmaps/x/inventions");
        let text = metrics.text();
        assert!(text.contains("apiserver_request_total{"), "{text}");
        assert!(
            text.contains(r#"verb="LIST""#) && text.contains(r#"scope="namespace""#) && text.contains(r#"code="200""#)
        );
        assert!(!text.contains("inventions"));
    }
}
