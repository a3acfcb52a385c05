//! Reads an archive as it streams in and writes its files into the content store, one pass, nothing
//! spooled: what the archive means is looked at afterwards.

use std::collections::HashMap;
use std::io::Read;

use bytes::Bytes;
use tokio::runtime::Handle;
use tokio::sync::mpsc;

use super::content::{Blob, Content};
use super::load::LoadError;

/// JSON files up to this size are kept to be read; no image's manifest or configuration is larger.
const SMALL: u64 = 4 << 20;
/// More files than any image archive has.
const MOST_FILES: usize = 10_000;
const CHUNK: usize = 256 << 10;

/// What was found in an archive.
#[derive(Debug, Default)]
pub struct Ingested {
    /// Written blobs by path.
    pub blobs: HashMap<String, Blob>,
    /// Small files by path.
    pub small: HashMap<String, Vec<u8>>,
    links: HashMap<String, String>,
}

/// Reads from a channel of chunks, on a blocking thread.
pub struct ChannelReader {
    receive: mpsc::Receiver<Result<Bytes, std::io::Error>>,
    rest: Bytes,
}

// === impl Ingested ===

impl Ingested {
    /// The blob at a path, through links.
    #[must_use]
    pub fn blob(&self, path: &str) -> Option<&Blob> {
        let path = self.links.get(path).map_or(path, String::as_str);
        self.blobs.get(path)
    }

    /// A small file at a path.
    #[must_use]
    pub fn file(&self, path: &str) -> Option<Vec<u8>> {
        self.small.get(path).cloned()
    }
}

/// Writes every file of the archive; runs on a blocking thread. The archive may be gzipped.
pub fn ingest(content: &Content, reader: impl Read) -> Result<Ingested, LoadError> {
    let mut reader = std::io::BufReader::with_capacity(CHUNK, reader);
    let gzip = std::io::BufRead::fill_buf(&mut reader).map_err(LoadError::Read)?.starts_with(&[0x1f, 0x8b]);
    if gzip { walk(content, flate2::bufread::MultiGzDecoder::new(reader)) } else { walk(content, reader) }
}

fn walk(content: &Content, reader: impl Read) -> Result<Ingested, LoadError> {
    let mut found = Ingested::default();
    let mut archive = tar::Archive::new(reader);
    for (index, entry) in archive.entries().map_err(LoadError::Read)?.enumerate() {
        let mut entry = entry.map_err(LoadError::Read)?;
        if index >= MOST_FILES {
            return Err(LoadError::TooMany);
        }
        let path = clean(&entry.path().map_err(LoadError::Read)?.to_string_lossy());
        let kind = entry.header().entry_type();
        if kind.is_symlink() || kind.is_hard_link() {
            if let Some(target) = entry.link_name().map_err(LoadError::Read)? {
                let target = resolve(&path, &target.to_string_lossy(), kind.is_symlink());
                found.links.insert(path, target);
            }
        } else if kind.is_file() {
            let small = entry.size() <= SMALL;
            let (blob, bytes) = copy(content, index, &mut entry, small)?;
            if let Some(bytes) = bytes {
                found.small.insert(path.clone(), bytes);
            }
            found.blobs.insert(path, blob);
        }
    }
    Ok(found)
}

fn copy(
    content: &Content,
    index: usize,
    from: &mut impl Read,
    small: bool,
) -> Result<(Blob, Option<Vec<u8>>), LoadError> {
    let handle = Handle::current();
    let mut writer = handle.block_on(content.writer(&index.to_string()))?;
    let mut kept = small.then(Vec::new);
    let mut buffer = vec![0; CHUNK];
    loop {
        let size = from.read(&mut buffer).map_err(LoadError::Read)?;
        if size == 0 {
            break;
        }
        let part = &buffer[..size];
        match &mut kept {
            // Only JSON is wanted back.
            Some(bytes) if !bytes.is_empty() || part.starts_with(b"{") || part.starts_with(b"[") => bytes.extend(part),
            _ => kept = None,
        }
        handle.block_on(writer.write(Bytes::copy_from_slice(part)))?;
    }
    Ok((handle.block_on(writer.commit())?, kept))
}

fn clean(path: &str) -> String {
    path.split('/').filter(|part| !part.is_empty() && *part != ".").collect::<Vec<_>>().join("/")
}

fn resolve(path: &str, target: &str, relative: bool) -> String {
    let mut parts: Vec<&str> = if relative { path.split('/').collect() } else { Vec::new() };
    parts.pop();
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            other => parts.push(other),
        }
    }
    parts.join("/")
}

// === impl ChannelReader ===

impl ChannelReader {
    /// Reads what is sent until the sender is gone.
    #[must_use]
    pub const fn new(receive: mpsc::Receiver<Result<Bytes, std::io::Error>>) -> Self {
        Self { receive, rest: Bytes::new() }
    }
}

impl Read for ChannelReader {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        while self.rest.is_empty() {
            match self.receive.blocking_recv() {
                Some(next) => self.rest = next?,
                None => return Ok(0),
            }
        }
        let size = buffer.len().min(self.rest.len());
        buffer[..size].copy_from_slice(&self.rest.split_to(size));
        Ok(size)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_followed_inside_the_archive_only() {
        assert_eq!(resolve("a/layer.tar", "../b/layer.tar", true), "b/layer.tar");
        assert_eq!(resolve("a/layer.tar", "../../../etc/passwd", true), "etc/passwd");
        assert_eq!(clean("./a//b"), "a/b");
    }
}
