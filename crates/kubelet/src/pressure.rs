//! How long the tasks of the node and of its pods are stalled for want of processor, memory or disk, as the kernel
//! measures it (PSI), and what the cluster is told of it: a small object per node, written when it changes.
//!
//! [`psi`] and [`report`] are pure; [`hierarchy`] is where groups lie; [`run`] measures and writes. What eviction calls
//! pressure is another thing: being short of something.
//!
//! Absent: single containers; anything on a kernel without PSI, which is told once.

pub mod hierarchy;
pub mod psi;
pub mod report;
pub mod run;
