//! HTTP requests of probes and hooks: no proxy, no certificate checks, redirects only on the same host,
//! as upstream has it.

use std::sync::Arc;
use std::time::Duration;

use http::{HeaderName, HeaderValue, Uri};
use http_body_util::{BodyExt, Empty, Limited};
use hyper_util::rt::TokioIo;
use nakhoda_daemon::tls::unchecked;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};

const REDIRECTS: usize = 10;
const BODY: usize = 10 << 10;

/// What to get.
#[derive(Clone, Debug)]
pub struct Request {
    /// With scheme, host, port and path.
    pub url: String,
    /// Beside the usual ones; `Host` replaces the URL's.
    pub headers: Vec<(String, String)>,
    /// For `User-Agent`, unless the headers have one.
    pub agent: &'static str,
}

/// What came back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The status code.
    pub code: u16,
    /// At most the first 10 KiB.
    pub body: String,
}

/// Gets, following redirects on the same host. The error has Go's wording.
pub async fn get(request: &Request, timeout: Duration) -> Result<Answer, String> {
    let url = &request.url;
    match tokio::time::timeout(timeout, follow(request)).await {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(why)) => Err(format!("Get {url:?}: {why}")),
        Err(_) => {
            Err(format!("Get {url:?}: context deadline exceeded (Client.Timeout exceeded while awaiting headers)"))
        }
    }
}

async fn follow(request: &Request) -> Result<Answer, String> {
    let mut url: Uri = request.url.parse().map_err(|error| format!("{error}"))?;
    for _ in 0..REDIRECTS {
        let (answer, location) = once(&url, request).await?;
        let Some(next) = location.and_then(|l| target(&url, &l)) else { return Ok(answer) };
        if next.host() != url.host() {
            return Ok(answer);
        }
        url = next;
    }
    Err("stopped after 10 redirects".into())
}

/// Where a redirect leads.
fn target(from: &Uri, location: &str) -> Option<Uri> {
    let to: Uri = location.parse().ok()?;
    if to.host().is_some() {
        return Some(to);
    }
    let mut parts = from.clone().into_parts();
    parts.path_and_query = Some(to.path_and_query()?.clone());
    Uri::from_parts(parts).ok()
}

async fn once(url: &Uri, request: &Request) -> Result<(Answer, Option<String>), String> {
    let host = url.host().ok_or("no Host in request URL")?.trim_matches(['[', ']']);
    let secure = url.scheme_str().is_some_and(|s| s.eq_ignore_ascii_case("https"));
    let port = url.port_u16().unwrap_or(if secure { 443 } else { 80 });
    let tcp = super::check::dial(host, port).await?;
    if !secure {
        return exchange(tcp, url, request).await;
    }
    let name = ServerName::try_from(host.to_owned()).map_err(|error| error.to_string())?;
    let tls = tokio_rustls::TlsConnector::from(trusting()).connect(name, tcp).await;
    exchange(tls.map_err(|error| format!("tls: {error}"))?, url, request).await
}

async fn exchange<S>(stream: S, url: &Uri, request: &Request) -> Result<(Answer, Option<String>), String>
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let text = |error: hyper::Error| if error.is_incomplete_message() { "EOF".to_owned() } else { error.to_string() };
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(text)?;
    let message = message(url, request)?;
    let talk = async {
        let answer = sender.send_request(message).await.map_err(text)?;
        let code = answer.status();
        let location = answer.headers().get(http::header::LOCATION).and_then(|v| v.to_str().ok()).map(str::to_owned);
        let body = Limited::new(answer.into_body(), BODY).collect().await;
        let body = body.map(|b| String::from_utf8_lossy(&b.to_bytes()).into_owned()).unwrap_or_default();
        Ok((Answer { code: code.as_u16(), body }, location.filter(|_| code.is_redirection())))
    };
    let (mut talk, mut connection) = (std::pin::pin!(talk), std::pin::pin!(connection));
    let mut open = true;
    loop {
        tokio::select! {
            outcome = &mut talk => return outcome,
            _ = &mut connection, if open => open = false,
        }
    }
}

fn message(url: &Uri, request: &Request) -> Result<http::Request<Empty<bytes::Bytes>>, String> {
    let path = url.path_and_query().map_or("/", |p| p.as_str());
    let mut message = http::Request::get(path).body(Empty::new()).map_err(|error| error.to_string())?;
    let headers = message.headers_mut();
    for (name, value) in &request.headers {
        let name = HeaderName::try_from(name.as_str()).map_err(|error| error.to_string())?;
        headers.append(name, HeaderValue::try_from(value.as_str()).map_err(|error| error.to_string())?);
    }
    let authority = url.authority().map(|a| a.as_str()).unwrap_or_default();
    for (name, value) in
        [("host", authority), ("user-agent", request.agent), ("accept", "*/*"), ("connection", "close")]
    {
        if !headers.contains_key(name) {
            headers.insert(name, HeaderValue::try_from(value).map_err(|error| error.to_string())?);
        }
    }
    // An empty value means that the header is not wanted at all.
    for name in ["user-agent", "accept"] {
        if headers.get(name).is_some_and(HeaderValue::is_empty) {
            headers.remove(name);
        }
    }
    Ok(message)
}

/// Probes look whether something answers, not who.
fn trusting() -> Arc<ClientConfig> {
    static CONFIG: std::sync::LazyLock<Arc<ClientConfig>> =
        std::sync::LazyLock::new(|| Arc::new(unchecked::builder().with_no_client_auth()));
    CONFIG.clone()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_redirect_may_be_relative() {
        let from: Uri = "http://10.0.0.1:80/a?b".parse().expect("a URI");
        assert_eq!(target(&from, "/c").map(|u| u.to_string()).as_deref(), Some("http://10.0.0.1:80/c"));
        assert_eq!(target(&from, "http://x/c").and_then(|u| u.host().map(str::to_owned)).as_deref(), Some("x"));
    }
}
