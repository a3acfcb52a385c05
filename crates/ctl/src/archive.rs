//! An image archive on this side of the wire: `docker save` or an OCI layout, gzipped or not, from a
//! file or a pipe.
//!
//! What is told apart here: files by their digests, so that a node gets only the blobs that it lacks. What
//! the images in it are, the kubelet reads.

pub mod index;
pub mod pieces;

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::path::Path;

use crate::Error;
use index::Index;

/// An archive that can be read again and again.
#[derive(Debug)]
pub struct Archive {
    /// The plain tar.
    pub file: File,
    /// What is in it.
    pub index: Index,
}

/// Why something is no image archive.
#[derive(Debug, thiserror::Error)]
pub enum Broken {
    /// The bytes end early, or are no tar.
    #[error("{0} is not a whole tar archive")]
    Tar(String, #[source] io::Error),
    /// It has no description.
    #[error("{0} is not an image archive: it has neither manifest.json nor index.json")]
    NoManifest(String),
    /// Its description is broken.
    #[error("manifest.json of {0} is not what it should be")]
    Manifest(String, #[source] serde_json::Error),
    /// A file that the description names is not there.
    #[error("{0} is broken: it lacks {1}")]
    Lacks(String, String),
}

// === impl Archive ===

impl Archive {
    /// Opens a file, or standard input as `-`.
    pub fn open(path: &str) -> Result<Self, Error> {
        let unreadable = |source| Error::Read { path: path.into(), source };
        let (name, file) = if path == "-" {
            ("standard input".to_owned(), spool(&mut BufReader::new(io::stdin().lock())).map_err(unreadable)?)
        } else {
            (path.to_owned(), plain(Path::new(path)).map_err(unreadable)?)
        };
        let index = Index::read(&name, &file)?;
        Ok(Self { file, index })
    }
}

/// The file itself, or what it holds if it is gzipped.
fn plain(path: &Path) -> io::Result<File> {
    let mut file = File::open(path)?;
    let mut reader = BufReader::new(&file);
    let ready = !reader.fill_buf()?.starts_with(&[0x1f, 0x8b]) && file.metadata()?.is_file();
    if !ready {
        return spool(&mut reader);
    }
    file.seek(SeekFrom::Start(0))?;
    Ok(file)
}

/// Copies a pipe, or what is gzipped, into a file that has no name.
fn spool(reader: &mut impl BufRead) -> io::Result<File> {
    let path = std::env::temp_dir().join(format!("ctl-image-{}.tar", std::process::id()));
    let mut file = File::options().read(true).write(true).create_new(true).open(&path)?;
    std::fs::remove_file(&path)?;
    if reader.fill_buf()?.starts_with(&[0x1f, 0x8b]) {
        copy(&mut flate2::bufread::MultiGzDecoder::new(reader), &mut file)?;
    } else {
        copy(reader, &mut file)?;
    }
    file.seek(SeekFrom::Start(0))?;
    Ok(file)
}

fn copy(from: &mut impl Read, to: &mut File) -> io::Result<()> {
    io::copy(from, to)?;
    to.flush()
}
