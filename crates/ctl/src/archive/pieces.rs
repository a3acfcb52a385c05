//! The archive that a node gets: the descriptions and the blobs that it lacks, as pieces of bytes and
//! places in the file.

use std::collections::HashSet;

use super::index::{Entry, Index};

/// A part of the stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// These bytes.
    Bytes(Vec<u8>),
    /// Bytes of the archive's file.
    File {
        /// From here.
        offset: u64,
        /// So many.
        size: u64,
    },
}

/// A tar block.
const BLOCK: u64 = 512;

// === impl Piece ===

impl Piece {
    /// How many bytes it is.
    #[must_use]
    pub const fn size(&self) -> u64 {
        match self {
            Self::Bytes(bytes) => bytes.len() as u64,
            Self::File { size, .. } => *size,
        }
    }
}

/// The tar for a node that lacks these blobs.
#[must_use]
pub fn pieces(index: &Index, missing: &HashSet<String>) -> Vec<Piece> {
    let mut pieces = Vec::new();
    for (path, text) in &index.texts {
        let mut bytes = header(path, text.len() as u64);
        bytes.extend_from_slice(text);
        bytes.resize(bytes.len() + padding(text.len() as u64), 0);
        pieces.push(Piece::Bytes(bytes));
    }
    for (path, entry) in index.blobs.iter().filter(|(_, entry)| missing.contains(&entry.digest)) {
        let Entry { offset, size, .. } = *entry;
        pieces.push(Piece::Bytes(header(path, size)));
        pieces.push(Piece::File { offset, size });
        pieces.push(Piece::Bytes(vec![0; padding(size)]));
    }
    pieces.push(Piece::Bytes(vec![0; 2 * BLOCK as usize]));
    pieces
}

fn header(path: &str, size: u64) -> Vec<u8> {
    let mut header = tar::Header::new_gnu();
    header.set_path(path).expect("paths of descriptions and blobs are short");
    header.set_size(size);
    header.set_mode(0o644);
    header.set_cksum();
    header.as_bytes().to_vec()
}

const fn padding(size: u64) -> usize {
    (size.next_multiple_of(BLOCK) - size) as usize
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    #[test]
    fn only_missing_blobs_are_sent() {
        let entry = |digest: &str| Entry { offset: 1024, size: 700, digest: digest.into() };
        let blobs = BTreeMap::from([
            ("blobs/sha256/a".into(), entry("sha256:a")),
            ("blobs/sha256/b".into(), entry("sha256:b")),
        ]);
        let index = Index { texts: BTreeMap::from([("manifest.json".into(), b"[]".to_vec())]), blobs };
        let files = |missing: &[&str]| {
            let missing = missing.iter().map(|d| (*d).to_owned()).collect();
            let pieces = pieces(&index, &missing);
            assert_eq!(pieces.iter().map(Piece::size).sum::<u64>() % BLOCK, 0);
            pieces.iter().filter(|p| matches!(p, Piece::File { .. })).count()
        };
        assert_eq!((files(&[]), files(&["sha256:b"]), files(&["sha256:a", "sha256:b"])), (0, 1, 2));
    }
}
