//! What the Kubernetes API *is*: kinds, metadata, selectors, quantities, patches and codecs.
//!
//! Architecture invariant: nothing here does I/O, knows a clock, or spawns a task. Functions take
//! values and return values; they fail on input only, and then with a [`Status`] or [`field::Errors`].

pub mod apply;
pub mod cel;
pub mod claims;
pub mod cron;
pub mod device_taints;
pub mod field;
pub mod gvk;
pub mod jsonpath;
pub mod kinds;
pub mod names;
pub mod network;
pub mod object;
pub mod openapi;
pub mod patch;
pub mod qos;
pub mod quantity;
pub mod quota;
pub mod resources;
pub mod schema;
pub mod selector;
pub mod status;
pub mod structural;
pub mod time;
pub mod wire;

pub use gvk::{GroupKind, GroupResource, GroupVersion, GroupVersionKind, GroupVersionResource, Scope};
pub use object::Object;
pub use status::{Reason, Status};
