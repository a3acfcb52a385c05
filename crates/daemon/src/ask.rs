//! `DAEMON health`: asks a daemon on this machine how it is, as a supervisor without a shell or curl has to.
//! Exit code 0 if it answers 200, else 1 and what it told.

use std::io::{self, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, ensure};
use clap::Parser;
use hyper::Uri;
use rustls::pki_types::ServerName;

use crate::tls;

/// How long connecting, and each read, may take.
const PATIENCE: Duration = Duration::from_secs(3);
/// More than this of an answer is not read.
const ANSWER: u64 = 64 << 10;

/// Ask the daemon how it is; exit code 1 if it is not well
#[derive(Debug, clap::Parser)]
struct Ask {
    /// Where it answers
    #[arg(long)]
    url: Option<Uri>,
    /// The authority that signed its certificate, where the URL is https
    #[arg(long, value_name = "FILE")]
    ca_file: Option<PathBuf>,
}

/// Runs the command if the first argument is `health`; without `--url` it asks at `usual`.
#[must_use]
pub fn command(usual: &str) -> Option<ExitCode> {
    let mut words = std::env::args_os();
    let program = words.next()?;
    if words.next()? != "health" {
        return None;
    }
    let ask = Ask::parse_from(std::iter::once(program).chain(words));
    let url = ask.url.unwrap_or_else(|| usual.parse().expect("every daemon names a URL"));
    crate::install_crypto();
    Some(match answer(&url, ask.ca_file.as_deref()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            drop(writeln!(io::stderr(), "{url}: {error:#}"));
            ExitCode::FAILURE
        }
    })
}

/// Asks once.
pub fn answer(url: &Uri, authority: Option<&Path>) -> anyhow::Result<()> {
    let host = url.host().context("the URL names no host")?;
    let secure = url.scheme_str() == Some("https");
    let port = url.port_u16().unwrap_or(if secure { 443 } else { 80 });
    let address = (host, port).to_socket_addrs()?.next().context("the host has no address")?;
    let stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    let text = if secure {
        let authority = authority.context("https wants --ca-file")?;
        let config = tls::client(tls::roots(authority)?, None, &[b"http/1.1"]);
        let name = ServerName::try_from(host.to_owned())?;
        let connection = rustls::ClientConnection::new(Arc::new(config), name)?;
        exchange(rustls::StreamOwned::new(connection, stream), url)?
    } else {
        exchange(stream, url)?
    };
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
    ensure!(head.split(' ').nth(1) == Some("200"), "{}\n{body}", head.lines().next().unwrap_or("no answer"));
    Ok(())
}

fn exchange(mut stream: impl Read + Write, url: &Uri) -> io::Result<String> {
    let path = url.path_and_query().map_or("/", |path| path.as_str());
    let host = url.host().unwrap_or_default();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n")?;
    let mut bytes = Vec::new();
    match stream.take(ANSWER).read_to_end(&mut bytes) {
        // A TLS peer that goes without saying so has said everything by then.
        Err(error) if error.kind() != io::ErrorKind::UnexpectedEof => Err(error),
        _ => Ok(String::from_utf8_lossy(&bytes).into_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Tasks;
    use crate::health::Health;
    use crate::metrics::Metrics;

    #[tokio::test]
    async fn a_check_that_fails_is_an_error() {
        let (tasks, health) = (Tasks::new(), Health::default());
        let local = std::net::SocketAddr::from(([127, 0, 0, 1], 0));
        let bound = crate::serve::serve(&tasks, local, health.clone(), Metrics::default()).await.expect("binds");
        let ask = move |path: &str| {
            let url: Uri = format!("http://{bound}{path}").parse().expect("a URL");
            tokio::task::spawn_blocking(move || answer(&url, None))
        };
        ask("/healthz").await.expect("runs").expect("is well");
        health.ready("informers", Arc::new(|| Err("empty".into())));
        let error = ask("/healthz").await.expect("runs").expect_err("is not well");
        assert!(error.to_string().contains("500"), "{error}");
        ask("/livez").await.expect("runs").expect("lives");
        tasks.stop();
    }
}
