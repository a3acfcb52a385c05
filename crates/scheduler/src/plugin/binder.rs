//! The binding itself: what writes it is [`crate::act`].

use crate::framework::Plugin;

/// The plugin.
#[must_use]
pub fn plugin() -> Plugin {
    Plugin { binds: true, ..Plugin::named("DefaultBinder") }
}
