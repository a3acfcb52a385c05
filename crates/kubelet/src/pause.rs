//! The pause image: the process that holds a pod's namespaces, a few hundred bytes, built in.
//!
//! Present: x86-64. On any other machine the kubelet says at start that it has no pause image for it.

mod archive;
mod elf;

pub use archive::archive;

/// The name under which the image is imported and which the runtime is told to use.
pub const IMAGE: &str = "nakhoda.local/pause:1";

/// There is no pause program for this machine.
#[derive(Debug, thiserror::Error)]
#[error("no pause image is built in for {0}; only x86_64 is supported")]
pub struct Unsupported(pub &'static str);
