//! Server-side apply: structured merge, and who owns which fields (`sigs.k8s.io/structured-merge-diff`,
//! `k8s.io/apimachinery/pkg/util/managedfields`).
//!
//! All of it is plain functions over JSON values. A [`Schema`] tells how each list and map is owned, a [`Set`] is a set
//! of paths, [`Managers`] is `metadata.managedFields`, and a [`Writer`] makes the new ones after a write.

mod check;
pub mod compare;
pub mod element;
mod fields;
pub mod managers;
mod merge;
mod remove;
pub mod schema;
pub mod set;
pub mod update;
mod walk;

pub use check::{CheckError, check, is_keyed};
pub use element::{Element, equal};
pub use fields::fields;
pub use managers::{Manager, Managers, Operation, Owner};
pub use merge::merge;
pub use remove::remove;
pub use schema::Schema;
pub use set::Set;
pub use update::{Applied, Conflict, Filter, Versions, Writer};
