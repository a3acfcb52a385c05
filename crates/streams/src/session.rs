//! Exec and attach over SPDY: one stream for each of stdin, stdout, stderr, resize and error
//! (`k8s.io/cri-streaming/pkg/streaming/remotecommand`).

use std::convert::Infallible;
use std::time::Duration;

use bytes::Bytes;
use nakhoda_api::{Reason, Status};
use tokio::sync::mpsc;

use crate::spdy::stream::{Reader, Writer};
use crate::spdy::{Session, Stream};
use crate::upgrade::Connection;
use crate::{Channels, Frame};

/// The protocols inside SPDY, best first. From the fourth on the outcome is a Status as JSON.
pub const PROTOCOLS: &[&str] = &["v4.channel.k8s.io", "v3.channel.k8s.io", "v2.channel.k8s.io", "channel.k8s.io"];
/// A client opens its streams at once, or never.
const PATIENCE: Duration = Duration::from_secs(30);
/// From the container.
pub const STDOUT: u8 = 1;
/// From the container.
pub const STDERR: u8 = 2;
/// The final Status.
pub const STATUS: u8 = 3;
/// Sizes of the terminal.
pub const RESIZE: u8 = 4;

/// Which streams a client asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// Towards the container.
    pub stdin: bool,
    /// From it.
    pub stdout: bool,
    /// From it.
    pub stderr: bool,
    /// With a terminal, whose size may change.
    pub tty: bool,
}

#[derive(Default)]
struct Streams {
    stdin: Option<Stream>,
    stdout: Option<Stream>,
    stderr: Option<Stream>,
    resize: Option<Stream>,
    error: Option<Stream>,
}

// === impl Wanted ===

impl Wanted {
    /// Asks for the flags that the API server knows.
    #[must_use]
    pub fn of(flag: impl Fn(&str) -> bool) -> Self {
        let tty = flag("tty");
        Self { stdin: flag("stdin"), stdout: flag("stdout"), stderr: flag("stderr") && !tty, tty }
    }
}

/// Runs a session on a connection until the process ends or the client goes.
pub async fn serve(connection: impl Future<Output = Option<Connection>>, channels: Channels, wanted: Wanted) {
    let Some((io, protocol)) = connection.await else { return };
    let (session, work) = Session::start(io);
    let run = run(session, channels, wanted, protocol);
    let (result, ()) = tokio::join!(work, run);
    if let Err(error) = result {
        tracing::debug!(%error, "a session's connection broke");
    }
}

async fn run(mut session: Session, channels: Channels, wanted: Wanted, protocol: &str) {
    let resize = wanted.tty && !matches!(protocol, "channel.k8s.io" | "v2.channel.k8s.io");
    if let Ok(Some(streams)) = tokio::time::timeout(PATIENCE, collect(&mut session, wanted, resize)).await {
        let outcome = streams.pump(channels, protocol);
        tokio::pin!(outcome);
        loop {
            tokio::select! {
                () = &mut outcome => break,
                // streams beyond those that were asked for are dropped; the end of the session ends it all
                extra = session.accept() => if extra.is_none() { break },
            }
        }
    }
    session.close().await;
}

/// Waits for every stream that the client asked for.
async fn collect(session: &mut Session, wanted: Wanted, resize: bool) -> Option<Streams> {
    let mut streams = Streams::default();
    while !streams.complete(wanted, resize) {
        let stream = session.accept().await?;
        let slot = match stream.headers.get("streamtype") {
            "stdin" => &mut streams.stdin,
            "stdout" => &mut streams.stdout,
            "stderr" => &mut streams.stderr,
            "resize" => &mut streams.resize,
            "error" => &mut streams.error,
            other => {
                tracing::debug!(kind = other, "a SPDY stream of an unknown type");
                continue;
            }
        };
        *slot = Some(stream);
    }
    Some(streams)
}

// === impl Streams ===

impl Streams {
    fn complete(&self, wanted: Wanted, resize: bool) -> bool {
        self.error.is_some()
            && (!wanted.stdin || self.stdin.is_some())
            && (!wanted.stdout || self.stdout.is_some())
            && (!wanted.stderr || self.stderr.is_some())
            && (!resize || self.resize.is_some())
    }

    /// Passes everything on until the process has ended and all its output is sent.
    async fn pump(self, channels: Channels, protocol: &str) {
        let Channels { input, output } = channels;
        let (stdin, _stdin) = split(self.stdin);
        let (resize, _resize) = split(self.resize);
        let (_, stdout) = split(self.stdout);
        let (_, stderr) = split(self.stderr);
        let (_, error) = split(self.error);
        let out = out(output, stdout.as_ref(), stderr.as_ref());
        tokio::pin!(out);
        let feed = async {
            tokio::join!(feed(stdin, 0, &input), feed(resize, RESIZE, &input));
            // the streams may end long before the process does
            std::future::pending::<Infallible>().await
        };
        let status = tokio::select! {
            status = &mut out => status,
            never = feed => match never {},
        };
        if let Some(error) = error {
            // a client that is gone does not read the outcome
            error.send(outcome(&status, protocol)).await.unwrap_or_default();
            error.finish().await.unwrap_or_default();
        }
    }
}

fn split(stream: Option<Stream>) -> (Option<Reader>, Option<Writer>) {
    stream.map_or((None, None), |s| (Some(s.reader), Some(s.writer)))
}

/// Passes one stream to the container; its end is passed on for stdin.
async fn feed(reader: Option<Reader>, channel: u8, input: &mpsc::Sender<Frame>) {
    let Some(mut reader) = reader else { return };
    while let Some(data) = reader.recv().await {
        if input.send(Frame { channel, data, close: false }).await.is_err() {
            return;
        }
    }
    if channel == 0 {
        // a process that has ended reads no more
        input.send(Frame { channel, data: Bytes::new(), close: true }).await.unwrap_or_default();
    }
}

/// Passes output to the client; returns the final Status.
async fn out(mut output: mpsc::Receiver<Frame>, stdout: Option<&Writer>, stderr: Option<&Writer>) -> Status {
    let mut status = None;
    while let Some(frame) = output.recv().await {
        let writer = match frame.channel {
            STDOUT => stdout,
            STDERR => stderr,
            STATUS => {
                status = serde_json::from_slice(&frame.data).ok();
                break;
            }
            _ => None,
        };
        if let Some(writer) = writer
            && writer.send(frame.data).await.is_err()
        {
            break;
        }
    }
    for writer in [stdout, stderr].into_iter().flatten() {
        writer.finish().await.unwrap_or_default();
    }
    status.unwrap_or_else(unreachable_status)
}

/// What is told if the kubelet ended the session without telling the outcome.
#[must_use]
pub fn unreachable_status() -> Status {
    Status::failure(500, Reason::InternalError, "the session ended without an outcome")
}

/// The outcome as a protocol tells it: JSON from the fourth on, before that a text for failures only.
#[must_use]
pub fn outcome(status: &Status, protocol: &str) -> Bytes {
    if protocol.starts_with("v4.") || protocol.starts_with("v5.") {
        return serde_json::to_vec(status).expect("a Status always serialises").into();
    }
    if status.status == "Success" { Bytes::new() } else { Bytes::from(status.message.clone()) }
}

#[cfg(test)]
mod tests;
