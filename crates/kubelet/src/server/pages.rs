//! Upstream's HTTPS paths. What is not there says so.

use axum::body::Body;
use axum::extract::{Path, Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get};
use axum::{Json, Router};
use futures::StreamExt;
use nakhoda_rpc::v1::{LogsRequest, PodRef};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

use super::{Server, files, streams};

#[derive(Default, Deserialize)]
#[serde(default)]
struct SummaryQuery {
    only_cpu_and_memory: bool,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct LogQuery {
    follow: bool,
    previous: bool,
    timestamps: bool,
    tail_lines: Option<i64>,
    since_seconds: Option<i64>,
    since_time: String,
    limit_bytes: Option<i64>,
    stream: String,
}

/// The paths.
pub fn router(server: Server) -> Router {
    Router::new()
        .route("/healthz", get(healthz))
        .route("/healthz/ping", get(|| async { "ok" }))
        .route("/pods", get(pods))
        .route("/runningpods/", get(pods))
        .route("/stats/summary", get(summary))
        .route("/metrics", get(metrics))
        .route("/metrics/resource", get(resource_metrics))
        .route("/configz", get(configz))
        .route("/containerLogs/{namespace}/{pod}/{container}", get(container_logs))
        .route("/exec/{*path}", any(streams::exec))
        .route("/attach/{*path}", any(streams::attach))
        .route("/portForward/{*path}", any(streams::port_forward))
        .route("/run/{*path}", any(streams::run))
        .route("/logs/", get(files::all))
        .route("/logs/{*path}", get(files::one))
        .with_state(server)
}

/// Everything else.
pub async fn absent() -> Response {
    (StatusCode::NOT_FOUND, "404 page not found\n").into_response()
}

async fn healthz(State(server): State<Server>) -> Response {
    match server.host.cri.version().await {
        Ok(_) => "ok".into_response(),
        Err(error) => {
            (StatusCode::INTERNAL_SERVER_ERROR, format!("[-]runtime failed: {error}\nhealthz check failed\n"))
                .into_response()
        }
    }
}

async fn pods(State(server): State<Server>) -> Json<Value> {
    let items: Vec<Value> =
        server.manager.views().iter().filter_map(|view| serde_json::to_value(&*view.pod).ok()).collect();
    Json(json!({"kind": "PodList", "apiVersion": "v1", "metadata": {}, "items": items}))
}

async fn summary(State(server): State<Server>, Query(query): Query<SummaryQuery>) -> Response {
    match server.summary(query.only_cpu_and_memory).await {
        Ok(summary) => Json(summary).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, format!("{error}\n")).into_response(),
    }
}

async fn resource_metrics(State(server): State<Server>) -> Response {
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], server.resource_metrics()).into_response()
}

/// The few figures that every kubelet has, under upstream's names.
async fn metrics(State(server): State<Server>) -> String {
    let views = server.manager.views();
    let running = views.iter().filter(|view| view.observed.sandbox().is_some()).count();
    let containers = views.iter().flat_map(|view| view.observed.each()).filter(|seen| seen.is_running()).count();
    format!(
        "# HELP kubelet_running_pods Number of pods that have a running pod sandbox\n# TYPE kubelet_running_pods gauge\nkubelet_running_pods {running}\n\
         # HELP kubelet_running_containers Number of containers currently running\n# TYPE kubelet_running_containers gauge\nkubelet_running_containers{{container_state=\"running\"}} {containers}\n\
         # HELP kubelet_node_name The node's name. The count is always 1.\n# TYPE kubelet_node_name gauge\nkubelet_node_name{{node=\"{}\"}} 1\n",
        server.host.name
    )
}

async fn configz(State(server): State<Server>) -> Json<Value> {
    let dns = &server.host.dns;
    Json(json!({"kubeletconfig": {
        "kind": "KubeletConfiguration", "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "clusterDNS": dns.servers, "clusterDomain": dns.domain, "resolvConf": dns.resolv_conf,
        "maxPods": server.host.capacity.pods, "nodeLeaseDurationSeconds": 40, "containerLogMaxSize": "10Mi", "containerLogMaxFiles": 5,
        "serializeImagePulls": false, "nodeStatusUpdateFrequency": "10s", "nodeStatusReportFrequency": "5m0s",
    }}))
}

async fn container_logs(
    State(server): State<Server>,
    Path((namespace, pod, container)): Path<(String, String, String)>,
    Query(query): Query<LogQuery>,
) -> Response {
    let request = LogsRequest {
        pod: Some(PodRef { namespace, name: pod, uid: String::new(), container }),
        follow: query.follow,
        previous: query.previous,
        timestamps: query.timestamps,
        tail_lines: query.tail_lines,
        since_seconds: query.since_seconds,
        since_time: query.since_time,
        limit_bytes: query.limit_bytes,
        stream: query.stream,
    };
    let found = match server.find_log(&request) {
        Ok(found) => found,
        Err(status) => {
            let code = StatusCode::from_u16(status.code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            return (code, status.message).into_response();
        }
    };
    let (send, receive) = mpsc::channel(16);
    server.host.tasks.clone().spawn("logs", async move {
        if let Err(error) = server.send_log(found, send).await {
            tracing::debug!(%error, "log not read to its end");
        }
    });
    Body::from_stream(ReceiverStream::new(receive).map(Ok::<_, std::io::Error>)).into_response()
}
