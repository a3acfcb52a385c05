//! What a store tells of itself.

use bytes::Bytes;
use futures::stream::BoxStream;

use crate::error::Error;

/// One of those that keep the data together.
#[derive(Clone, Debug)]
pub struct Member {
    /// Its name.
    pub name: String,
    /// Where clients reach it.
    pub addresses: Vec<String>,
    /// How it is, or why it does not say.
    pub state: Result<MemberState, Error>,
}

/// How a member is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemberState {
    /// Whether it leads.
    pub leads: bool,
    /// Its program's version.
    pub version: String,
    /// Bytes of its database.
    pub size: u64,
    /// How far it has come.
    pub revision: u64,
}

/// A file in pieces. After an error it ends.
pub type Pieces = BoxStream<'static, Result<Bytes, Error>>;
