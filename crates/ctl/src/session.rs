//! A session with a process in a container: this terminal's streams joined to its.

pub mod terminal;

use std::convert::Infallible;
use std::process::ExitCode;

use futures::StreamExt;
use futures::stream::BoxStream;
use nakhoda_api::Status;
use nakhoda_client::Duplex;
use nakhoda_rpc::v1;
use serde_json::Value;
use tokio::io::AsyncReadExt;
use tokio::sync::mpsc;

use crate::Error;
use crate::output::out;
use crate::stream::{self, RESIZE, STATUS, STDERR, STDIN, STDOUT};
use terminal::Raw;

/// Bytes that are read at once.
const CHUNK: usize = 32 << 10;

/// Which streams are joined.
#[derive(Clone, Copy, Debug, Default)]
pub struct Streams {
    /// Standard input is passed on.
    pub stdin: bool,
    /// It is a terminal on the other side.
    pub tty: bool,
}

// === impl Streams ===

impl Streams {
    /// The parameters that ask for them.
    #[must_use]
    pub fn parameters(self) -> Vec<(&'static str, String)> {
        let streams = [("stdin", self.stdin), ("stdout", true), ("stderr", !self.tty), ("tty", self.tty)];
        streams.into_iter().map(|(name, wanted)| (name, wanted.to_string())).collect()
    }
}

/// Carries a session to its end. The exit code is that of the process.
pub async fn run(duplex: Duplex, streams: Streams) -> Result<ExitCode, Error> {
    let Duplex { send, recv } = duplex;
    // dropped before anything is said, so that a failure leaves a usable terminal
    let raw = if streams.tty && streams.stdin { Raw::enter()? } else { None };
    let feeds = async {
        let input = async {
            if streams.stdin {
                input(&send).await
            }
        };
        let sizes = async {
            if raw.is_some() {
                sizes(&send).await
            }
        };
        tokio::join!(input, sizes);
        std::future::pending::<Infallible>().await
    };
    let outcome = tokio::select! {
        outcome = output(recv) => outcome,
        never = feeds => match never {},
    };
    drop(raw);
    match outcome? {
        Some(Ok(())) => Ok(ExitCode::SUCCESS),
        Some(Err(code)) => {
            eprintln!("command terminated with exit code {code}");
            Ok(ExitCode::from(code))
        }
        None => Err(Error::Usage("the connection ended before the command had".into())),
    }
}

/// Writes what comes, until the final Status.
async fn output(mut frames: Frames) -> Result<Option<Result<(), u8>>, Error> {
    while let Some(frame) = frames.next().await {
        let frame = frame?;
        match frame.channel {
            STDOUT => out::bytes(&frame.data),
            STDERR => errors(&frame.data),
            STATUS => return ended(&frame.data).map(Some),
            _ => {}
        }
    }
    Ok(None)
}

type Frames = BoxStream<'static, nakhoda_client::Result<v1::ConnectFrame>>;

async fn input(send: &mpsc::Sender<v1::ConnectFrame>) {
    let mut stdin = tokio::io::stdin();
    let mut buffer = vec![0; CHUNK];
    while let Ok(count @ 1..) = stdin.read(&mut buffer).await {
        if send.send(stream::frame(STDIN, buffer[..count].to_vec())).await.is_err() {
            return;
        }
    }
    // the process learns that its input has ended; one that is gone needs not
    drop(send.send(stream::closing(STDIN)).await);
}

async fn sizes(send: &mpsc::Sender<v1::ConnectFrame>) {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut changes) = signal(SignalKind::window_change()) else { return };
    while let Some(size) = terminal::size() {
        let text = format!("{{\"Width\":{},\"Height\":{}}}", size.0, size.1);
        if send.send(stream::frame(RESIZE, text.into_bytes())).await.is_err() || changes.recv().await.is_none() {
            return;
        }
    }
}

/// Nothing can be done about errors that cannot be told.
fn errors(data: &[u8]) {
    use std::io::Write;
    drop(std::io::stderr().lock().write_all(data));
}

/// What the final Status says: success, an exit code, or why there was no process.
pub fn ended(data: &[u8]) -> Result<Result<(), u8>, Error> {
    let status: Value = serde_json::from_slice(data).map_err(Error::Answer)?;
    if status["status"] == "Success" {
        return Ok(Ok(()));
    }
    let causes = status["details"]["causes"].as_array().into_iter().flatten();
    let code =
        causes.filter(|cause| cause["reason"] == "ExitCode").find_map(|cause| cause["message"].as_str()?.parse().ok());
    match code {
        Some(code) => Ok(Err(code)),
        None => {
            let status: Status = serde_json::from_value(status).map_err(Error::Answer)?;
            Err(nakhoda_client::Error::from(status).into())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_exit_code_is_passed_through() {
        let status = br#"{"status":"Failure","reason":"NonZeroExitCode","details":{"causes":[{"reason":"ExitCode","message":"3"}]}}"#;
        assert_eq!(ended(status).expect("ended"), Err(3));
        assert_eq!(ended(br#"{"status":"Success"}"#).expect("ended"), Ok(()));
        assert!(ended(br#"{"status":"Failure","message":"no such file","code":500}"#).is_err());
    }
}
