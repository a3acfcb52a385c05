//! What the suites share: the checkout's files, and programs that are run.

pub mod app;
pub mod command;
pub mod docker;
pub mod history;
pub mod load;
pub mod machine;
pub mod plane;
pub mod service;
pub mod source;
