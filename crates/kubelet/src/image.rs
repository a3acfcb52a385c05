//! Images: names, archives loaded by hand, and pulling with upstream's policies and back-off.

pub mod archive;
pub mod archives;
pub mod content;
pub mod credentials;
pub mod gc;
pub mod import;
pub mod load;
pub mod pull;
pub mod reference;
pub mod snapshot;

pub use load::Images;
