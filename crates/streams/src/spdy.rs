//! SPDY/3.1 as kubectl speaks it for exec, attach and port-forward: the frames, the compressed header
//! blocks, and a session of parallel byte streams over one connection.
//!
//! Absent on purpose: flow control. The only other implementation in use (moby/spdystream) neither
//! sends nor heeds WINDOW_UPDATE, so a sender that waited for one would wait for ever; the bounded
//! queue of each stream pushes back through the connection instead. Streams are opened by the client
//! only.

pub mod frame;
pub mod header;
pub mod session;
pub mod stream;

/// What the `Upgrade` header calls it.
pub const PROTOCOL: &str = "SPDY/3.1";

pub use session::Session;
pub use stream::Stream;
