//! `image load`: an archive to the nodes, of which each gets only the blobs that it lacks.

use std::collections::HashSet;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::process::ExitCode;

use futures::StreamExt;
use futures::future::join_all;
use nakhoda_client::{Client, Duplex};
use nakhoda_rpc::v1;
use parking_lot::Mutex;
use serde_json::Value;
use tokio::sync::mpsc;

use super::{Nodes, ask, place, report};
use crate::archive::Archive;
use crate::archive::pieces::{Piece, pieces};
use crate::output::progress::Progress;
use crate::stream::{self, STATUS, STDIN, STDOUT};
use crate::{Context, Error};

/// Bytes in a frame.
const CHUNK: u64 = 256 << 10;
/// Digests in a question; each takes 71 bytes of a request.
const ASKED: usize = 1000;

/// Load image archives (docker save or OCI, gzipped or not) onto nodes; - reads standard input
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  docker save hello-flask:1 | ctl image load -\n  ctl image load hello.tar --node node-1")]
pub struct Args {
    /// Archives
    #[arg(required = true, value_name = "FILE")]
    files: Vec<String>,
    #[command(flatten)]
    nodes: Nodes,
}

/// One node's part.
struct Transfer<'a> {
    client: &'a Client,
    archive: &'a Archive,
    node: &'a str,
    number: usize,
    progress: &'a Mutex<Progress>,
}

// === impl Args ===

impl Args {
    /// For one archive.
    #[must_use]
    pub fn of(archive: &std::path::Path, nodes: Nodes) -> Self {
        Self { files: vec![archive.to_string_lossy().into_owned()], nodes }
    }
}

/// Runs the command.
pub async fn run(args: Args, context: &Context) -> Result<ExitCode, Error> {
    let client = context.client()?;
    let nodes = args.nodes.select(&client).await?;
    let mut failed = false;
    for file in &args.files {
        failed |= load(&client, &nodes, file).await? != ExitCode::SUCCESS;
    }
    Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// Loads one archive onto the nodes at once and tells the result of each.
async fn load(client: &Client, nodes: &[String], file: &str) -> Result<ExitCode, Error> {
    let archive = Archive::open(file)?;
    let progress = Mutex::new(Progress::new("loading", nodes.len()));
    let transfers = nodes.iter().enumerate().map(|(number, node)| {
        let transfer = Transfer { client, archive: &archive, node, number, progress: &progress };
        async move { (node.clone(), transfer.run().await) }
    });
    let outcomes = join_all(transfers).await;
    progress.lock().clear();
    Ok(report(outcomes))
}

// === impl Transfer ===

impl Transfer<'_> {
    async fn run(&self) -> Result<String, Error> {
        let pieces = pieces(&self.archive.index, &self.missing().await?);
        self.progress.lock().total(self.number, pieces.iter().map(Piece::size).sum());
        let Duplex { send, recv } = stream::open(self.client, place(self.node), &[("action", "load".into())]).await?;
        let feed = async {
            match feed(&self.archive.file, &pieces, &send).await {
                // the node answers in its own time
                Ok(()) => std::future::pending().await,
                Err(error) => error,
            }
        };
        let names = tokio::select! {
            names = self.follow(recv) => names?,
            error = feed => return Err(error),
        };
        Ok(format!("loaded {}", names.join(", ")))
    }

    async fn missing(&self) -> Result<HashSet<String>, Error> {
        let digests: Vec<&String> = self.archive.index.blobs.values().map(|entry| &entry.digest).collect();
        let mut missing = HashSet::new();
        for some in digests.chunks(ASKED) {
            let mut parameters = vec![("action", "missing".to_owned())];
            parameters.extend(some.iter().map(|digest| ("digest", (*digest).clone())));
            let answer = ask(self.client, self.node, &parameters).await?;
            missing.extend(answer["digests"].as_array().into_iter().flatten().filter_map(Value::as_str).map(Into::into));
        }
        Ok(missing)
    }

    /// Reads progress to the end: the names of the images.
    async fn follow(&self, mut frames: Frames) -> Result<Vec<String>, Error> {
        let mut names = Vec::new();
        let mut ended = false;
        while let Some(frame) = frames.next().await {
            let frame = frame?;
            match frame.channel {
                STDOUT => {
                    let told: Value = serde_json::from_slice(&frame.data).map_err(Error::Answer)?;
                    if let Some(bytes) = told["bytes"].as_u64().filter(|bytes| *bytes > 0) {
                        self.progress.lock().reached(self.number, bytes);
                    }
                    names.extend(told["loaded"].as_array().into_iter().flatten().filter_map(Value::as_str).map(Into::into));
                }
                STATUS => {
                    stream::outcome(&frame.data)?;
                    ended = true;
                }
                _ => {}
            }
        }
        if ended { Ok(names) } else { Err(Error::Usage("the connection ended before the node had answered".into())) }
    }
}

type Frames = futures::stream::BoxStream<'static, nakhoda_client::Result<v1::ConnectFrame>>;

/// Sends the pieces; a node that has hung up says why on its own.
async fn feed(file: &File, pieces: &[Piece], send: &mpsc::Sender<v1::ConnectFrame>) -> Result<(), Error> {
    for piece in pieces {
        match piece {
            Piece::Bytes(bytes) => {
                if send.send(stream::frame(STDIN, bytes.clone())).await.is_err() {
                    return Ok(());
                }
            }
            Piece::File { offset, size } => {
                let mut at = *offset;
                let end = offset + size;
                while at < end {
                    let mut chunk = vec![0; (end - at).min(CHUNK) as usize];
                    let unreadable = |source| Error::Read { path: "the archive".into(), source };
                    file.read_exact_at(&mut chunk, at).map_err(unreadable)?;
                    at += chunk.len() as u64;
                    if send.send(stream::frame(STDIN, chunk)).await.is_err() {
                        return Ok(());
                    }
                }
            }
        }
    }
    drop(send.send(stream::closing(STDIN)).await);
    Ok(())
}
