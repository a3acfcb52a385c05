//! What the suites share: the checkout's files, and programs that are run.

pub mod app;
pub mod command;
pub mod machine;
pub mod service;
pub mod source;
