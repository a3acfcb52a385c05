//! What `/metrics` tells of requests, under upstream's names.

use std::time::Duration;

use nakhoda_api::Status;
use nakhoda_daemon::metrics::Metrics;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};

use crate::kinds::Kinds;
use crate::request::{Request, Target};
use crate::response::{Answer, Response};

/// Counts and times requests. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Meter {
    requests: Family<Labels, Counter>,
    seconds: Family<Timed, Histogram>,
}

/// What a request was, as far as it was served: a resource that nobody knows makes no series.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Labels {
    verb: String,
    group: String,
    version: String,
    resource: String,
    subresource: String,
    code: u16,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Timed {
    verb: String,
    resource: String,
}

/// What is known of a request before it is answered.
pub(crate) struct Mark {
    labels: Labels,
    is_stream: bool,
}

// === impl Meter ===

impl Meter {
    pub(crate) fn new(metrics: &Metrics) -> Self {
        let requests = Family::default();
        let seconds =
            Family::<Timed, Histogram>::new_with_constructor(|| Histogram::new(exponential_buckets(0.001, 2.0, 14)));
        Self {
            requests: metrics.register("apiserver_request", "Requests by verb, resource and HTTP code.", requests),
            seconds: metrics.register(
                "apiserver_request_duration_seconds",
                "Seconds until a request was answered, streams apart.",
                seconds,
            ),
        }
    }

    pub(crate) fn mark(&self, request: &Request, kinds: &Kinds) -> Mark {
        let mut labels = Labels {
            verb: request.verb().to_uppercase(),
            group: String::new(),
            version: String::new(),
            resource: String::new(),
            subresource: String::new(),
            code: 0,
        };
        if let Target::Resource(target) = &request.target
            && let Some(kind) = kinds.get(&target.gvr)
        {
            labels.group.clone_from(&target.gvr.group);
            labels.version.clone_from(&target.gvr.version);
            labels.resource.clone_from(&target.gvr.resource);
            if kind.info.sub(&target.subresource).is_some() {
                labels.subresource.clone_from(&target.subresource);
            }
        }
        Mark { labels, is_stream: request.is_stream() }
    }

    pub(crate) fn record(&self, mark: Mark, outcome: &Result<Response, Status>, took: Duration) {
        let Mark { mut labels, is_stream } = mark;
        if !is_stream {
            let timed = Timed { verb: labels.verb.clone(), resource: labels.resource.clone() };
            self.seconds.get_or_create(&timed).observe(took.as_secs_f64());
        }
        labels.code = match outcome {
            Err(status) => status.code,
            Ok(Response { answer: Answer::Created { .. } | Answer::Object { created: true, .. }, .. }) => 201,
            Ok(_) => 200,
        };
        self.requests.get_or_create(&labels).inc();
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::testing::Server;

    #[tokio::test]
    async fn requests_are_counted_by_verb_resource_and_code() {
        let server = Server::start().await;
        let object = json!({"metadata": {"name": "a"}});
        server.create("configmaps", "default", &object).await.expect("made");
        server.create("configmaps", "default", &object).await.expect_err("there already");
        let text = server.metrics.text();
        for code in [201, 409] {
            let wanted = format!("resource=\"configmaps\",subresource=\"\",code=\"{code}\"}} 1");
            assert!(
                text.lines()
                    .any(|line| line.starts_with("apiserver_request_total{verb=\"CREATE\"") && line.contains(&wanted)),
                "{text}"
            );
        }
        assert!(
            text.contains("apiserver_request_duration_seconds_count{verb=\"CREATE\",resource=\"configmaps\"} 2"),
            "{text}"
        );
    }
}
