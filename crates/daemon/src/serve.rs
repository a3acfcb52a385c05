//! The small HTTP server of daemons that serve nothing else: `/healthz`, `/livez`, `/readyz`, each
//! with `?verbose` and `?exclude=NAME` and one check by name below it, and `/metrics`. Plain HTTP/1.1,
//! meant for a loopback address.

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::header::CONTENT_TYPE;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpListener;

use crate::Tasks;
use crate::health::{Health, Probe};
use crate::metrics::Metrics;

/// What `/metrics` answers with.
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
const TEXT: &str = "text/plain; charset=utf-8";

/// Answers a path that only one daemon has, as text.
pub type Extra = Arc<dyn Fn(&str) -> Option<String> + Send + Sync>;

#[derive(Clone)]
struct Pages {
    health: Health,
    metrics: Metrics,
    extra: Extra,
}

/// Binds `address` now and answers until the process stops.
pub async fn serve(tasks: &Tasks, address: SocketAddr, health: Health, metrics: Metrics) -> io::Result<SocketAddr> {
    serve_with(tasks, address, health, metrics, Arc::new(|_| None)).await
}

/// As [`serve`], with paths of the daemon's own.
pub async fn serve_with(
    tasks: &Tasks,
    address: SocketAddr,
    health: Health,
    metrics: Metrics,
    extra: Extra,
) -> io::Result<SocketAddr> {
    let listener = TcpListener::bind(address).await.map_err(|e| io::Error::new(e.kind(), format!("{address}: {e}")))?;
    let bound = listener.local_addr()?;
    let pages = Pages { health, metrics, extra };
    let connections = tasks.clone();
    tasks.spawn("health server", async move {
        loop {
            match listener.accept().await {
                Ok((stream, _)) => {
                    let pages = pages.clone();
                    connections.spawn("health connection", async move { pages.converse(TokioIo::new(stream)).await });
                }
                Err(error) => {
                    tracing::warn!(%error, "no connection accepted");
                    tokio::time::sleep(std::time::Duration::from_millis(100)).await;
                }
            }
        }
    });
    Ok(bound)
}

// === impl Pages ===

impl Pages {
    async fn converse(&self, stream: TokioIo<tokio::net::TcpStream>) {
        let service = service_fn(|request: Request<Incoming>| {
            let query = request.uri().query().unwrap_or_default();
            std::future::ready(Ok::<_, Infallible>(self.answer(request.method(), request.uri().path(), query)))
        });
        if let Err(error) = http1::Builder::new().timer(TokioTimer::new()).serve_connection(stream, service).await {
            tracing::debug!(%error, "connection ended");
        }
    }

    fn answer(&self, method: &Method, path: &str, query: &str) -> Response<Full<Bytes>> {
        if method != Method::GET && method != Method::HEAD {
            return page(StatusCode::METHOD_NOT_ALLOWED, TEXT, "only GET is answered\n".into());
        }
        match path.trim_start_matches('/').split_once('/').unwrap_or((path.trim_start_matches('/'), "")) {
            ("metrics", "") => page(StatusCode::OK, OPEN_METRICS, self.metrics.text()),
            ("livez", check) => self.probe(Probe::Live, "livez", check, query),
            ("readyz", check) => self.probe(Probe::Ready, "readyz", check, query),
            ("healthz", check) => self.probe(Probe::Ready, "healthz", check, query),
            _ => match (self.extra)(path) {
                Some(text) => page(StatusCode::OK, TEXT, text),
                None => page(StatusCode::NOT_FOUND, TEXT, "404 page not found\n".into()),
            },
        }
    }

    fn probe(&self, probe: Probe, path: &str, check: &str, query: &str) -> Response<Full<Bytes>> {
        if !check.is_empty() {
            return match self.health.one(check) {
                Some(Ok(())) => page(StatusCode::OK, TEXT, "ok".into()),
                Some(Err(error)) => page(StatusCode::INTERNAL_SERVER_ERROR, TEXT, format!("{error}\n")),
                None => page(StatusCode::NOT_FOUND, TEXT, "404 page not found\n".into()),
            };
        }
        let parameters = || query.split('&').map(|p| p.split_once('=').unwrap_or((p, "")));
        let verbose = parameters().any(|(name, _)| name == "verbose");
        let excluded: BTreeSet<String> =
            parameters().filter(|(name, _)| *name == "exclude").map(|(_, value)| value.to_owned()).collect();
        let report = self.health.report(probe, path, verbose, &excluded);
        let status = if report.ok { StatusCode::OK } else { StatusCode::INTERNAL_SERVER_ERROR };
        page(status, TEXT, report.text)
    }
}

fn page(status: StatusCode, media: &'static str, text: String) -> Response<Full<Bytes>> {
    Response::builder()
        .status(status)
        .header(CONTENT_TYPE, media)
        .body(Full::from(text))
        .expect("a known status and a constant header are valid")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pages() -> Pages {
        let health = Health::default();
        health.live("etcd", Arc::new(|| Err("down".into())));
        Pages { health, metrics: Metrics::default(), extra: Arc::new(|_| None) }
    }

    #[test]
    fn probes_answer_500_with_the_failed_check_and_it_can_be_excluded() {
        let status = |path, query| pages().answer(&Method::GET, path, query).status().as_u16();
        assert_eq!(status("/readyz", ""), 500);
        assert_eq!(status("/livez", "verbose&exclude=etcd"), 200);
        assert_eq!(status("/livez/etcd", ""), 500);
        assert_eq!(status("/livez/none", ""), 404);
        assert_eq!(status("/metrics", ""), 200);
        assert_eq!(pages().answer(&Method::POST, "/livez", "").status().as_u16(), 405);
    }

    #[tokio::test]
    async fn it_listens_where_it_says() {
        let tasks = Tasks::new();
        let address = SocketAddr::from(([127, 0, 0, 1], 0));
        let bound = serve(&tasks, address, Health::default(), Metrics::default()).await.expect("binds");
        let again = serve(&tasks, bound, Health::default(), Metrics::default()).await;
        assert!(again.is_err_and(|e| e.to_string().contains(&bound.to_string())));
        tasks.stop();
    }
}
