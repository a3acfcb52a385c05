//! AlwaysAdmit: nothing. It is here to be named on the command line, as upstream still has it.

use super::{Attributes, Plugin};

/// The plugin.
pub struct AlwaysAdmit;

impl Plugin for AlwaysAdmit {
    fn name(&self) -> &'static str {
        "AlwaysAdmit"
    }

    fn handles(&self, _: &Attributes<'_>) -> bool {
        false
    }
}
