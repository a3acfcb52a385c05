//! What travels between our processes: the generated contract of `proto/nakhoda/v1`, how a
//! [`nakhoda_api::Status`] crosses it, and the TLS channel that carries it.
//!
//! Architecture invariant: no policy here. Who may call what is decided in the API server's
//! pipeline and in the kubelet's server.

pub mod status;
pub mod transport;

/// The generated messages, clients and servers of `proto/nakhoda/v1`.
#[allow(missing_docs, unreachable_pub, clippy::all, reason = "generated")]
pub mod v1 {
    tonic::include_proto!("nakhoda.v1");
}

/// The encoded descriptors, for the reflection service.
pub const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/nakhoda.bin"));

/// Largest message either side accepts, in bytes: tonic's 4 MiB default bites on lists.
pub const MAX_MESSAGE: usize = 64 << 20;
