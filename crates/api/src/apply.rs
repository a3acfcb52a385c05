//! Server-side apply. Here so far: what structured merge must know of a type.
//!
//! Absent: field sets, merging, and their use by the API server, which refuses apply patches and keeps no
//! `managedFields`.

pub mod schema;

pub use schema::Schema;
