//! The road to the API server for every other process: typed access over gRPC, and on top of it
//! informers, queues, reconcilers, leader election and events.
//!
//! Architecture invariant: the API server is reached through [`transport::Transport`] alone, so that
//! all of this runs against [`memory::Memory`] in tests, with no network. Nothing here knows what any
//! kind means.

pub mod api;
pub mod client;
pub mod config;
pub mod error;
pub mod grpc;
pub mod key;
pub mod memory;
pub mod resource;
pub mod runtime;
pub mod transport;

pub use api::{Api, DynamicApi, Listed, Page, Patch, PatchKind, Selection, WatchEvent};
pub use client::{Client, Duplex, Fence, WriteOptions};
pub use config::{Config, ConfigError};
pub use error::{Error, Result};
pub use key::Key;
pub use resource::{Resource, owner, reference};
pub use runtime::clock;
pub use runtime::controller::{self, Outcome, Reconcile};
pub use runtime::events::{EventType, Recorder};
pub use runtime::expect;
pub use runtime::informer::{Change, Informer, Informers};
pub use runtime::leader;
pub use runtime::queue::{self, Queue};
