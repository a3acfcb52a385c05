//! Header blocks: names and values, compressed by zlib with the dictionary of SPDY/3. One stream of
//! compression lasts as long as the connection, in each direction.

use bytes::{Buf, BufMut, Bytes};
use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress};

/// Words of the dictionary, each written with its length in four bytes before it.
const WORDS: &str = "options head post put delete trace accept accept-charset accept-encoding accept-language \
     accept-ranges age allow authorization cache-control connection content-base content-encoding \
     content-language content-length content-location content-md5 content-range content-type date etag expect \
     expires from host if-match if-modified-since if-none-match if-range if-unmodified-since last-modified \
     location max-forwards pragma proxy-authenticate proxy-authorization range referer retry-after server te \
     trailer transfer-encoding upgrade user-agent vary via warning www-authenticate method get status 200_OK \
     version HTTP/1.1 url public set-cookie keep-alive origin";
/// The rest of the dictionary, without lengths.
const TAIL: &str = "100101201202205206300302303304305306307402405406407408409410411412413414415416417502504505\
     203 Non-Authoritative Information204 No Content301 Moved Permanently400 Bad Request401 Unauthorized\
     403 Forbidden404 Not Found500 Internal Server Error501 Not Implemented503 Service UnavailableJan Feb Mar \
     Apr May Jun Jul Aug Sept Oct Nov Dec 00:00:00 Mon, Tue, Wed, Thu, Fri, Sat, Sun, GMTchunked,text/html,\
     image/png,image/jpg,image/gif,application/xml,application/xhtml+xml,text/plain,text/javascript,\
     publicprivatemax-age=gzip,deflate,sdchcharset=utf-8charset=iso-8859-1,utf-,*,enq=0.";
/// Header blocks of kubectl have some hundred bytes.
const MAX_BLOCK: usize = 64 << 10;
const CHUNK: usize = 4 << 10;

/// Names (lower case) and values of one stream.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Headers(pub Vec<(String, String)>);

/// A header block that cannot be read; the connection cannot go on after it.
#[derive(Debug, thiserror::Error)]
pub enum HeaderError {
    /// The compressed data is broken.
    #[error("a SPDY header block cannot be decompressed")]
    Decompress(#[from] flate2::DecompressError),
    /// The names and values are cut short, or beyond reason.
    #[error("a SPDY header block is malformed")]
    Malformed,
}

/// Reads blocks.
pub struct Reader {
    zlib: Decompress,
}

/// Writes blocks.
pub struct Writer {
    zlib: Compress,
}

/// The dictionary of SPDY/3.
fn dictionary() -> Vec<u8> {
    let mut bytes = Vec::with_capacity(1500);
    for word in WORDS.split(' ').filter(|w| !w.is_empty()) {
        let word = word.replace('_', " ");
        bytes.put_u32(u32::try_from(word.len()).expect("words are short"));
        bytes.put_slice(word.as_bytes());
    }
    bytes.put_slice(TAIL.as_bytes());
    bytes
}

// === impl Headers ===

impl Headers {
    /// The value of a header, empty if absent.
    #[must_use]
    pub fn get(&self, name: &str) -> &str {
        self.0.iter().find(|(n, _)| n == name).map_or("", |(_, v)| v)
    }

    fn parse(mut plain: Bytes) -> Result<Self, HeaderError> {
        let count = length(&mut plain)?;
        (0..count)
            .map(|_| Ok((text(&mut plain)?.to_ascii_lowercase(), text(&mut plain)?)))
            .collect::<Result<_, _>>()
            .map(Self)
    }
}

fn length(plain: &mut Bytes) -> Result<usize, HeaderError> {
    plain.try_get_u32().map(|n| n as usize).map_err(|_| HeaderError::Malformed)
}

fn text(plain: &mut Bytes) -> Result<String, HeaderError> {
    let length = length(plain)?;
    if plain.len() < length {
        return Err(HeaderError::Malformed);
    }
    String::from_utf8(plain.split_to(length).into()).map_err(|_| HeaderError::Malformed)
}

// === impl Reader ===

impl Default for Reader {
    fn default() -> Self {
        Self { zlib: Decompress::new(true) }
    }
}

impl Reader {
    /// Decompresses and reads a block.
    pub fn read(&mut self, block: &[u8]) -> Result<Headers, HeaderError> {
        let mut plain = Vec::new();
        let mut rest = block;
        loop {
            plain.reserve(CHUNK);
            let before = self.zlib.total_in();
            match self.zlib.decompress_vec(rest, &mut plain, FlushDecompress::Sync) {
                Ok(_) => {}
                Err(error) if error.needs_dictionary().is_some() => {
                    self.zlib.set_dictionary(&dictionary())?;
                }
                Err(error) => return Err(error.into()),
            }
            rest = &rest[usize::try_from(self.zlib.total_in() - before).unwrap_or(rest.len())..];
            if plain.len() > MAX_BLOCK {
                return Err(HeaderError::Malformed);
            }
            if rest.is_empty() && plain.len() < plain.capacity() {
                return Headers::parse(plain.into());
            }
        }
    }
}

// === impl Writer ===

impl Default for Writer {
    fn default() -> Self {
        let mut zlib = Compress::new(Compression::best(), true);
        zlib.set_dictionary(&dictionary()).expect("a fresh zlib stream takes a dictionary");
        Self { zlib }
    }
}

impl Writer {
    /// Writes and compresses a block.
    pub fn write(&mut self, headers: &Headers) -> Bytes {
        let mut plain = Vec::new();
        put_length(&mut plain, headers.0.len());
        for text in headers.0.iter().flat_map(|(name, value)| [name, value]) {
            put_length(&mut plain, text.len());
            plain.put_slice(text.as_bytes());
        }
        let mut block = Vec::with_capacity(plain.len() + 64);
        let mut rest = plain.as_slice();
        loop {
            block.reserve(CHUNK);
            let before = self.zlib.total_in();
            self.zlib.compress_vec(rest, &mut block, FlushCompress::Sync).expect("memory to memory does not fail");
            rest = &rest[usize::try_from(self.zlib.total_in() - before).unwrap_or(rest.len())..];
            if rest.is_empty() && block.len() < block.capacity() {
                return block.into();
            }
        }
    }
}

fn put_length(buffer: &mut Vec<u8>, length: usize) {
    buffer.put_u32(u32::try_from(length).expect("headers are short"));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_dictionary_is_the_one_that_zlib_streams_of_spdy_name() {
        let (mut a, mut b) = (1u32, 0u32);
        for byte in dictionary() {
            a = (a + u32::from(byte)) % 65_521;
            b = (b + a) % 65_521;
        }
        assert_eq!(dictionary().len(), 1423);
        assert_eq!(b << 16 | a, 0xe3c6_a7c2);
    }

    #[test]
    fn blocks_of_one_connection_are_read_in_turn() {
        let (mut reader, mut writer) = (Reader::default(), Writer::default());
        for kind in ["error", "stdin", "stdout", "resize"] {
            let sent = Headers(vec![("streamtype".into(), kind.into()), ("port".into(), "8080".into())]);
            let block = writer.write(&sent);
            let read = reader.read(&block).expect("readable");
            assert_eq!(read, sent);
            assert_eq!(read.get("streamtype"), kind);
        }
    }

    #[test]
    fn an_empty_and_a_long_block_survive() {
        let (mut reader, mut writer) = (Reader::default(), Writer::default());
        let block = writer.write(&Headers::default());
        assert_eq!(reader.read(&block).expect("readable"), Headers::default());
        let long: String = (0..20_000u32).map(|n| char::from(b'a' + (n * 7 % 26) as u8)).collect();
        let sent = Headers(vec![("x".into(), long)]);
        let block = writer.write(&sent);
        assert_eq!(reader.read(&block).expect("readable"), sent);
    }

    #[test]
    fn a_broken_block_is_an_error() {
        assert!(Reader::default().read(b"nonsense").is_err());
    }
}
