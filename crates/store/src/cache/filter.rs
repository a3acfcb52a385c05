//! [`Filter`]: what of a resource a list or a watch is about.

use std::sync::Arc;

use super::item::Item;

/// A test of an item, made of selectors.
pub type Matches = Arc<dyn Fn(&Item) -> bool + Send + Sync>;

/// All conditions must hold. The first three are indexed for watches.
#[derive(Clone, Default)]
pub struct Filter {
    /// Objects of this namespace.
    pub namespace: Option<String>,
    /// Objects of this name.
    pub name: Option<String>,
    /// Objects with this value of the resource's hot field (see [`super::Shape::hot`]).
    pub hot: Option<String>,
    /// Objects that pass this.
    pub matches: Option<Matches>,
}

// === impl Filter ===

impl Filter {
    /// Everything.
    #[must_use]
    pub fn all() -> Self {
        Self::default()
    }

    /// Whether all conditions hold; `hot` names the hot field.
    #[must_use]
    pub fn accepts(&self, item: &Item, hot: Option<&str>) -> bool {
        self.namespace.as_deref().is_none_or(|namespace| item.namespace() == namespace)
            && self.name.as_deref().is_none_or(|name| item.name() == name)
            && self.hot.as_deref().is_none_or(|value| hot.and_then(|hot| item.field(hot)) == Some(value))
            && self.matches.as_ref().is_none_or(|matches| matches(item))
    }
}

impl std::fmt::Debug for Filter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Filter")
            .field("namespace", &self.namespace)
            .field("name", &self.name)
            .field("hot", &self.hot)
            .field("matches", &self.matches.is_some())
            .finish()
    }
}
