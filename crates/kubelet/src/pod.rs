//! Pods: one task each (`worker`), which observes the runtime, decides (`plan`), acts (`execute`) and
//! tells (`status`).

mod actuate;
pub mod admission;
pub mod allocations;
pub mod backoff;
pub mod container;
pub mod core;
mod entry;
mod execute;
pub mod hook;
pub mod manager;
pub mod message;
pub mod mounts;
pub mod observed;
pub mod plan;
pub mod resize;
pub mod sandbox;
pub mod security;
pub mod sizes;
pub mod spec;
pub mod state;
pub mod status;
mod sub_path;
mod terminate;
pub mod told;
pub mod worker;
