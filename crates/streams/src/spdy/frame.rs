//! SPDY/3.1 frames to bytes and back. Pure: nothing is read or written here.

use bytes::{Buf, BufMut, Bytes, BytesMut};

const VERSION: u16 = 3;
const SYN_STREAM: u16 = 1;
const SYN_REPLY: u16 = 2;
const RST_STREAM: u16 = 3;
const SETTINGS: u16 = 4;
const PING: u16 = 6;
const GOAWAY: u16 = 7;
const HEADERS: u16 = 8;
const WINDOW_UPDATE: u16 = 9;
const FLAG_FIN: u8 = 1;
const HEAD: usize = 8;
/// A longer payload than any peer sends; the length field could say 16 MiB.
const MAX_PAYLOAD: usize = 1 << 20;
/// How much data one frame of ours carries.
pub const MAX_DATA: usize = 32 << 10;

/// Status code of a RST_STREAM: the stream is refused.
pub const REFUSED_STREAM: u32 = 3;
/// Status code of a RST_STREAM: the stream is unknown.
pub const INVALID_STREAM: u32 = 2;
/// Status code of a RST_STREAM: the stream is not wanted any more.
pub const CANCEL: u32 = 5;

/// One frame. Header blocks are still compressed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Frame {
    /// A piece of a stream.
    Data {
        /// Which.
        stream: u32,
        /// What.
        data: Bytes,
        /// No more data from this side.
        fin: bool,
    },
    /// A stream is opened.
    Open {
        /// Odd numbers are the client's.
        stream: u32,
        /// No data will come from this side.
        fin: bool,
        /// Compressed headers.
        block: Bytes,
    },
    /// A stream is accepted.
    Reply {
        /// Which.
        stream: u32,
        /// No data will come from this side.
        fin: bool,
        /// Compressed headers.
        block: Bytes,
    },
    /// More headers of a stream.
    Headers {
        /// Which.
        stream: u32,
        /// No data will come from this side.
        fin: bool,
        /// Compressed headers.
        block: Bytes,
    },
    /// A stream ends at once.
    Reset {
        /// Which.
        stream: u32,
        /// Why.
        status: u32,
    },
    /// Is answered with the same number.
    Ping(u32),
    /// No more streams.
    GoAway {
        /// The last stream that was handled.
        last: u32,
        /// 0: all is well.
        status: u32,
    },
    /// SETTINGS, WINDOW_UPDATE and unknown control frames, whose content nobody needs.
    Other(u16),
}

/// The bytes are not SPDY/3.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// A control frame of another version.
    #[error("SPDY version {0} is not spoken here, only 3.1")]
    Version(u16),
    /// A length beyond reason.
    #[error("a SPDY frame of {0} bytes is too long")]
    TooLong(usize),
    /// A control frame whose payload is too short for its type.
    #[error("a SPDY control frame of type {0} is cut short")]
    Short(u16),
}

// === impl Frame ===

impl Frame {
    /// Takes the next whole frame off the front of a buffer, `None` if more bytes are needed.
    pub fn decode(buffer: &mut BytesMut) -> Result<Option<Self>, FrameError> {
        if buffer.len() < HEAD {
            return Ok(None);
        }
        let length = usize::from(buffer[5]) << 16 | usize::from(buffer[6]) << 8 | usize::from(buffer[7]);
        if length > MAX_PAYLOAD {
            return Err(FrameError::TooLong(length));
        }
        if buffer.len() < HEAD + length {
            buffer.reserve(HEAD + length - buffer.len());
            return Ok(None);
        }
        let mut frame = buffer.split_to(HEAD + length).freeze();
        let word = frame.get_u32();
        let flags = frame.get_u8();
        frame.advance(3);
        if word >> 31 == 0 {
            return Ok(Some(Self::Data { stream: word, data: frame, fin: flags & FLAG_FIN != 0 }));
        }
        match (word >> 16 & 0x7fff) as u16 {
            VERSION => Self::control((word & 0xffff) as u16, flags, frame).map(Some),
            other => Err(FrameError::Version(other)),
        }
    }

    fn control(kind: u16, flags: u8, mut payload: Bytes) -> Result<Self, FrameError> {
        let needed = match kind {
            SYN_STREAM => 10,
            SYN_REPLY | HEADERS | PING => 4,
            RST_STREAM | GOAWAY => 8,
            _ => 0,
        };
        if payload.len() < needed {
            return Err(FrameError::Short(kind));
        }
        let fin = flags & FLAG_FIN != 0;
        Ok(match kind {
            SYN_STREAM => {
                let stream = payload.get_u32() & 0x7fff_ffff;
                // the associated stream, the priority and the slot
                payload.advance(6);
                Self::Open { stream, fin, block: payload }
            }
            SYN_REPLY => Self::Reply { stream: payload.get_u32() & 0x7fff_ffff, fin, block: payload },
            HEADERS => Self::Headers { stream: payload.get_u32() & 0x7fff_ffff, fin, block: payload },
            RST_STREAM => Self::Reset { stream: payload.get_u32() & 0x7fff_ffff, status: payload.get_u32() },
            PING => Self::Ping(payload.get_u32()),
            GOAWAY => Self::GoAway { last: payload.get_u32() & 0x7fff_ffff, status: payload.get_u32() },
            SETTINGS | WINDOW_UPDATE => Self::Other(kind),
            unknown => Self::Other(unknown),
        })
    }

    /// Appends the frame to a buffer.
    pub fn encode(&self, buffer: &mut BytesMut) {
        match self {
            Self::Data { stream, data, fin } => {
                buffer.put_u32(*stream);
                put_length(buffer, *fin, data.len());
                buffer.put_slice(data);
            }
            Self::Open { stream, fin, block } => {
                put_control(buffer, SYN_STREAM, *fin, 10 + block.len());
                buffer.put_u32(*stream);
                buffer.put_slice(&[0; 6]);
                buffer.put_slice(block);
            }
            Self::Reply { stream, fin, block } => put_headers(buffer, SYN_REPLY, *stream, *fin, block),
            Self::Headers { stream, fin, block } => put_headers(buffer, HEADERS, *stream, *fin, block),
            Self::Reset { stream, status } => put_pair(buffer, RST_STREAM, *stream, *status),
            Self::GoAway { last, status } => put_pair(buffer, GOAWAY, *last, *status),
            Self::Ping(id) => {
                put_control(buffer, PING, false, 4);
                buffer.put_u32(*id);
            }
            // nothing that this side knows how to fill
            Self::Other(_) => {}
        }
    }
}

fn put_length(buffer: &mut BytesMut, fin: bool, length: usize) {
    buffer.put_u8(if fin { FLAG_FIN } else { 0 });
    buffer.put_uint(length as u64, 3);
}

fn put_control(buffer: &mut BytesMut, kind: u16, fin: bool, length: usize) {
    buffer.put_u16(0x8000 | VERSION);
    buffer.put_u16(kind);
    put_length(buffer, fin, length);
}

fn put_headers(buffer: &mut BytesMut, kind: u16, stream: u32, fin: bool, block: &Bytes) {
    put_control(buffer, kind, fin, 4 + block.len());
    buffer.put_u32(stream);
    buffer.put_slice(block);
}

fn put_pair(buffer: &mut BytesMut, kind: u16, first: u32, second: u32) {
    put_control(buffer, kind, false, 8);
    buffer.put_u32(first);
    buffer.put_u32(second);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_frame_comes_back_as_it_was_sent() {
        let block = Bytes::from_static(b"headers");
        let frames = [
            Frame::Data { stream: 1, data: Bytes::from_static(b"hello"), fin: false },
            Frame::Data { stream: 7, data: Bytes::new(), fin: true },
            Frame::Open { stream: 3, fin: false, block: block.clone() },
            Frame::Reply { stream: 3, fin: true, block: block.clone() },
            Frame::Headers { stream: 5, fin: false, block },
            Frame::Reset { stream: 9, status: CANCEL },
            Frame::Ping(2),
            Frame::GoAway { last: 11, status: 0 },
        ];
        let mut buffer = BytesMut::new();
        frames.iter().for_each(|frame| frame.encode(&mut buffer));
        for frame in frames {
            assert_eq!(Frame::decode(&mut buffer), Ok(Some(frame)));
        }
        assert_eq!(Frame::decode(&mut buffer), Ok(None));
    }

    #[test]
    fn a_frame_in_pieces_waits_for_the_rest() {
        let mut whole = BytesMut::new();
        Frame::Data { stream: 1, data: Bytes::from_static(b"abc"), fin: true }.encode(&mut whole);
        let mut buffer = BytesMut::new();
        for byte in &whole[..whole.len() - 1] {
            buffer.put_u8(*byte);
            assert_eq!(Frame::decode(&mut buffer), Ok(None));
        }
    }

    #[test]
    fn nonsense_is_refused_before_memory_is_taken() {
        let long: &[u8] = &[0, 0, 0, 1, 0, 0xff, 0xff, 0xff];
        assert_eq!(Frame::decode(&mut BytesMut::from(long)), Err(FrameError::TooLong(0x00ff_ffff)));
        let version: &[u8] = &[0x80, 2, 0, 6, 0, 0, 0, 0];
        assert_eq!(Frame::decode(&mut BytesMut::from(version)), Err(FrameError::Version(2)));
        let short: &[u8] = &[0x80, 3, 0, 1, 0, 0, 0, 0];
        assert_eq!(Frame::decode(&mut BytesMut::from(short)), Err(FrameError::Short(1)));
    }
}
