//! The rules of the verbs, each told by a request to a whole server.

mod apply;
mod bypass;
mod create;
mod delete;
mod list;
mod subresources;
mod update;
mod watch;
