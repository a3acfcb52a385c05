//! What keeps the objects: the [`Store`] contract, its two keepers ([`etcd`] and [`memory`]), and the
//! watch [`cache`] that answers every read.
//!
//! Architecture invariants: only the API server depends on this crate; only [`etcd`] knows etcd; a
//! resource version is the store's revision and nothing else. Nothing here knows a kind, a URL or a
//! user: an object is bytes under a key, and what a cache has to know of it comes from a
//! [`cache::Shape`].

pub mod cache;
pub mod error;
pub mod etcd;
pub mod fence;
pub mod memory;
pub mod raise;
pub mod splice;
pub mod store;
pub mod transform;
pub mod update;

pub use error::Error;
pub use fence::Fence;
pub use memory::Memory;
pub use store::{
    Change, ChangeKind, ChangeStream, Changes, Commit, Compare, Deleted, Entry, List, Listing, Member, MemberState, Op,
    Options, Pieces, Read, Reading, Store, Txn, Watch,
};
pub use transform::{Transform, Transformed};
pub use update::{Next, Updated, update_with};
