//! [`Packed`]: gzip over pieces, each piece compressed when it is asked for.

use std::io::{self, Write};

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;

/// The compressed pieces of pieces.
pub(super) struct Packed<I> {
    pieces: I,
    encoder: Option<GzEncoder<Vec<u8>>>,
}

// === impl Packed ===

impl<I> Packed<I> {
    pub(super) fn new(pieces: I) -> Self {
        Self { pieces, encoder: Some(GzEncoder::new(Vec::new(), Compression::fast())) }
    }
}

impl<I: Iterator<Item = io::Result<Bytes>>> Iterator for Packed<I> {
    type Item = io::Result<Bytes>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let encoder = self.encoder.as_mut()?;
            let written = match self.pieces.next() {
                None => return self.encoder.take().map(|encoder| encoder.finish().map(Into::into)),
                Some(piece) => piece.and_then(|piece| encoder.write_all(&piece)),
            };
            if let Err(error) = written {
                self.encoder = None;
                return Some(Err(error));
            }
            let made = std::mem::take(encoder.get_mut());
            if !made.is_empty() {
                return Some(Ok(made.into()));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    #[test]
    fn packed_pieces_unpack_to_the_whole() {
        let pieces: Vec<Bytes> = (0..50u8).map(|n| vec![n; 40_000].into()).collect();
        let packed: Vec<Bytes> = Packed::new(pieces.clone().into_iter().map(Ok)).map(|p| p.expect("packed")).collect();
        let mut whole = Vec::new();
        flate2::read::GzDecoder::new(&packed.concat()[..]).read_to_end(&mut whole).expect("unpacks");
        assert_eq!(whole, pieces.concat());
        let failing = [Ok(Bytes::from_static(b"a")), Err(io::Error::other("x"))];
        assert!(Packed::new(failing.into_iter()).last().is_some_and(|last| last.is_err()), "cut off, not ended");
    }
}
