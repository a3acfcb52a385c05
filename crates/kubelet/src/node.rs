//! The node itself in the API: its object, its heartbeat, its place in the pod network.

pub mod keeper;
pub mod lease;
pub mod machine;
pub mod routes;
pub mod status;
