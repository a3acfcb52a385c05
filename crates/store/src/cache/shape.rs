//! [`Shape`]: how a cache learns what it must know of an object. The store knows no kinds.

use bytes::Bytes;

use super::item::Draft;
use crate::error::Error;

pub mod paths;

pub use paths::Paths;

/// Reads stored values of one resource.
pub trait Shape: Send + Sync + 'static {
    /// What a stored value says. `key` is `namespace/name` or `name`. This is the place to decrypt, and to
    /// turn another stored form into JSON.
    fn draft(&self, key: &str, value: &Bytes, revision: u64) -> Result<Draft, Error>;

    /// The field that many watchers select on, each another value: it is indexed. Values of it that are
    /// empty or missing are not.
    fn hot(&self) -> Option<&str> {
        None
    }
}
