//! Brings what is to what was asked for: one reconciler per concern.
//!
//! Architecture invariants: a controller reads caches and writes through the client, and never calls
//! another controller; it gets a key and never a hint of what changed; its planning is a plain function
//! over values with `now` passed in; every write carries the fence of the leader's Lease. Nothing here
//! knows storage, containers or rules of a packet filter.

pub mod app;
pub mod backends;
pub mod claim;
pub mod context;
pub mod controllers;
pub mod dependents;
pub mod eviction;
pub mod finalizers;
pub mod hash;
pub mod history;
pub mod material;
pub mod nodes;
pub mod options;
pub mod placement;
pub mod pod_control;
pub mod pods;
pub mod replicator;
pub mod revision;
pub mod seen;
pub mod selector;
pub mod served;
pub mod share;
pub mod slices;
pub mod taints;
pub mod told;
pub mod volumes;

pub use app::run;
pub use nakhoda_client::clock;
pub use options::Options;
