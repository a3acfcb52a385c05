//! Rules that several kinds share, each written once: defaults and validation of pods and their
//! templates, selectors, references, addresses; and pieces of table cells.
//!
//! Functions take the path at which the value stands and push what is wrong; the texts are upstream's
//! (`pkg/apis/core/validation`). Nothing here reads a clock or storage.

pub mod address;
pub mod admission;
pub mod cel;
pub mod check;
pub mod classes;
pub mod conditions;
pub mod defaults;
pub mod device;
pub mod diff;
pub mod gang;
pub mod hooks;
pub mod job;
pub mod network;
pub mod pod;
pub mod print;
pub mod rbac;
pub mod reference;
pub mod signer;
pub mod taint;
pub mod volume;
pub mod webhook;
pub mod workload;
