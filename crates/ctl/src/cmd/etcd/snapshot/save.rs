//! `etcd snapshot save`: streams etcd's data through the API server into a file that `scripts/etcd-restore` and
//! etcd's own tools take. The file holds all Secrets (encrypted, if the API server encrypts them): it is readable by
//! its owner only, and appears whole or not at all.

use std::fs::File;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use futures::StreamExt;
use nakhoda_client::Duplex;

use crate::output::progress::size;
use crate::stream::{STATUS, STDOUT, outcome};
use crate::{Context, Error, cmd};

/// Bytes of the digest at the end, and the size of the database's pages before it.
const DIGEST: u64 = 32;
const PAGE: u64 = 512;

/// Save etcd's data, by way of the API server (restore it by scripts/etcd-restore)
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Where to; must not exist
    file: PathBuf,
}

/// Runs the command.
pub async fn run(args: Args, context: &Context) -> Result<ExitCode, Error> {
    let client = context.client()?;
    if args.file.exists() {
        return Err(Error::Usage(format!("{} is there already", args.file.display())));
    }
    let part = args.file.with_added_extension("part");
    let duplex = cmd::etcd::open(&client, "snapshot").await?;
    let saved = save(duplex, &part).await;
    if saved.is_err() && part.exists() {
        std::fs::remove_file(&part).map_err(|source| write_error(&part, source))?;
    }
    let bytes = saved?;
    std::fs::rename(&part, &args.file).map_err(|source| write_error(&args.file, source))?;
    crate::say!("{} saved to {}", size(bytes), args.file.display());
    Ok(ExitCode::SUCCESS)
}

/// How many bytes came.
async fn save(mut duplex: Duplex, path: &Path) -> Result<u64, Error> {
    let failed = |source| write_error(path, source);
    let mut file = File::options().write(true).create(true).truncate(true).mode(0o600).open(path).map_err(failed)?;
    let mut bytes = 0;
    while let Some(frame) = duplex.recv.next().await {
        let frame = frame?;
        match frame.channel {
            STDOUT => {
                file.write_all(&frame.data).map_err(failed)?;
                bytes += frame.data.len() as u64;
            }
            STATUS => outcome(&frame.data)?,
            _ => {}
        }
    }
    if bytes % PAGE != DIGEST {
        return Err(Error::Usage(format!("the snapshot is cut: {bytes} bytes came")));
    }
    file.sync_all().map_err(failed)?;
    Ok(bytes)
}

fn write_error(path: &Path, source: std::io::Error) -> Error {
    Error::Write { path: path.into(), source }
}
