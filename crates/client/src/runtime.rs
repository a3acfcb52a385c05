//! What daemons build on: watches that last, caches, queues, reconcilers, leadership, events.

pub mod apply;
pub mod backoff;
pub mod cache;
pub mod clock;
pub mod controller;
pub mod events;
pub mod expect;
pub mod informer;
pub mod leader;
pub mod queue;
pub mod watcher;
