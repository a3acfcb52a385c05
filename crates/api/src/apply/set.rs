//! [`Set`]: a set of paths, kept as a tree whose levels are sorted.
//!
//! A node may be a member itself, or only lead to members below it. There is no node that does neither.

use std::cmp::Ordering;

use super::element::Element;
use super::schema::Type;

mod json;

pub use json::SetError;

/// A set of paths into an object.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Set {
    nodes: Vec<Node>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Node {
    element: Element,
    member: bool,
    children: Set,
}

/// What becomes of a node that stands in two sets: whether it is a member, and what is below it.
type Join = fn(&Node, &Node) -> (bool, Set);

// === impl Set ===

impl Set {
    /// The set of these paths of field names.
    #[must_use]
    pub fn of_fields(paths: &[&[&str]]) -> Self {
        let mut set = Self::default();
        for path in paths {
            set.insert(&path.iter().map(|name| Element::field(name)).collect::<Vec<_>>());
        }
        set
    }

    /// Adds a path. The empty path is the whole object, which is no member of anything.
    pub fn insert(&mut self, path: &[Element]) {
        match path {
            [] => {}
            [last] => self.add(last.clone(), true, Self::default()),
            [first, rest @ ..] => {
                let mut below = Self::default();
                below.insert(rest);
                self.add(first.clone(), false, below);
            }
        }
    }

    /// Adds a step, as a member or not, and what is below it.
    pub fn add(&mut self, element: Element, member: bool, children: Self) {
        if !member && children.is_empty() {
            return;
        }
        // most are added in order
        let place = match self.nodes.last() {
            Some(last) if last.element >= element => self.nodes.binary_search_by(|node| node.element.cmp(&element)),
            _ => Err(self.nodes.len()),
        };
        match place {
            Ok(at) => {
                let node = &mut self.nodes[at];
                node.member |= member;
                node.children = if node.children.is_empty() { children } else { node.children.union(&children) };
            }
            Err(at) => self.nodes.insert(at, Node { element, member, children }),
        }
    }

    /// Whether there is no path in it.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// Whether a path is in it.
    #[must_use]
    pub fn has(&self, path: &[Element]) -> bool {
        match path {
            [] => false,
            [last] => self.node(last).is_some_and(|node| node.member),
            [first, rest @ ..] => self.node(first).is_some_and(|node| node.children.has(rest)),
        }
    }

    /// Whether a single step is in it, and what of it lies below that step.
    #[must_use]
    pub fn at(&self, element: &Element) -> (bool, Option<&Self>) {
        match self.node(element) {
            Some(node) => (node.member, Some(&node.children).filter(|children| !children.is_empty())),
            None => (false, None),
        }
    }

    fn node(&self, element: &Element) -> Option<&Node> {
        let at = self.nodes.binary_search_by(|node| node.element.cmp(element)).ok()?;
        Some(&self.nodes[at])
    }

    /// What is in either.
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        self.join(other, true, true, |a, b| (a.member || b.member, a.children.union(&b.children)))
    }

    /// The same of two that are not needed any more.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        match (self.is_empty(), other.is_empty()) {
            (_, true) => self,
            (true, false) => other,
            (false, false) => self.union(&other),
        }
    }

    /// What is in both.
    #[must_use]
    pub fn intersection(&self, other: &Self) -> Self {
        self.join(other, false, false, |a, b| (a.member && b.member, a.children.intersection(&b.children)))
    }

    /// What is not in the other.
    #[must_use]
    pub fn difference(&self, other: &Self) -> Self {
        self.join(other, true, false, |a, b| (a.member && !b.member, a.children.difference(&b.children)))
    }

    /// Takes away what is in the other.
    pub fn subtract(&mut self, other: &Self) {
        self.meet(other, |node, cut| {
            node.member &= !cut.member;
            node.children.subtract(&cut.children);
        });
    }

    /// What is neither in the other nor below something that is.
    #[must_use]
    pub fn outside(mut self, other: &Self) -> Self {
        self.leave(other);
        self
    }

    fn leave(&mut self, other: &Self) {
        self.meet(other, |node, cut| {
            if cut.member {
                (node.member, node.children) = (false, Self::default());
            } else {
                node.children.leave(&cut.children);
            }
        });
    }

    /// Changes the nodes that stand in both.
    fn meet(&mut self, other: &Self, change: impl Fn(&mut Node, &Node)) {
        for cut in &other.nodes {
            let Ok(at) = self.nodes.binary_search_by(|node| node.element.cmp(&cut.element)) else { continue };
            let node = &mut self.nodes[at];
            change(node, cut);
            if !node.member && node.children.is_empty() {
                self.nodes.remove(at);
            }
        }
    }

    /// The same paths, and those of all named fields on the way to them.
    #[must_use]
    pub fn named(&self, ty: Type<'_>) -> Self {
        let atom = ty.resolve();
        let nodes = self.nodes.iter().map(|node| {
            let (known, below) = match (&node.element, &atom.map, &atom.list) {
                (Element::Field(name), Some(map), _) => (map.field(name).is_some(), map.entry(name)),
                (Element::Key(_), _, Some(list)) => (false, Some(list.element)),
                _ => (false, None),
            };
            Node {
                element: node.element.clone(),
                member: node.member || (known && !node.children.is_empty()),
                children: node.children.named(below.unwrap_or(Type::UNTYPED)),
            }
        });
        Self { nodes: nodes.collect() }
    }

    /// The same ownership where a type has become one value since it was noted: then it is owned as a whole.
    #[must_use]
    pub fn reconciled(&self, ty: Type<'_>) -> Self {
        let atom = ty.resolve();
        let nodes = self.nodes.iter().map(|node| {
            let below = match (&atom.map, &atom.list, &node.element) {
                (Some(map), _, Element::Field(name)) => map.entry(name),
                (Some(map), _, _) => map.element,
                (None, Some(list), _) => Some(list.element),
                (None, None, _) => None,
            };
            below.map_or_else(|| node.clone(), |below| node.reconciled(below))
        });
        Self { nodes: nodes.collect() }
    }

    /// All paths: at each level the members first, then what is below.
    #[must_use]
    pub fn paths(&self) -> Vec<Vec<Element>> {
        let mut out = Vec::new();
        self.collect(&mut Vec::new(), &mut out);
        out
    }

    fn collect(&self, prefix: &mut Vec<Element>, out: &mut Vec<Vec<Element>>) {
        for node in self.nodes.iter().filter(|node| node.member) {
            out.push(prefix.iter().chain([&node.element]).cloned().collect());
        }
        for node in &self.nodes {
            prefix.push(node.element.clone());
            node.children.collect(prefix, out);
            prefix.pop();
        }
    }

    /// Walks both levels in order; `left` and `right` say whether what stands in one alone is kept.
    fn join(&self, other: &Self, left: bool, right: bool, both: Join) -> Self {
        let mut nodes = Vec::with_capacity(if left { self.nodes.len() } else { 0 });
        let (mut a, mut b) = (self.nodes.iter().peekable(), other.nodes.iter().peekable());
        loop {
            let order = match (a.peek(), b.peek()) {
                (Some(x), Some(y)) => x.element.cmp(&y.element),
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (None, None) => return Self { nodes },
            };
            let (x, y) = (order.is_le().then(|| a.next()).flatten(), order.is_ge().then(|| b.next()).flatten());
            match (x, y) {
                (Some(x), Some(y)) => {
                    let (member, children) = both(x, y);
                    if member || !children.is_empty() {
                        nodes.push(Node { element: x.element.clone(), member, children });
                    }
                }
                (Some(only), None) if left => nodes.push(only.clone()),
                (None, Some(only)) if right => nodes.push(only.clone()),
                _ => {}
            }
        }
    }
}

// === impl Node ===

impl Node {
    fn reconciled(&self, ty: Type<'_>) -> Self {
        let atom = ty.resolve();
        let atomic = match (&atom.map, &atom.scalar, &atom.list) {
            (Some(map), _, _) if map.is_deduced() => return self.clone(),
            (Some(map), _, _) => map.atomic && !self.children.is_empty(),
            (None, Some(_), _) => return self.clone(),
            (None, None, list) => list.as_ref().is_some_and(|list| list.is_atomic()) && !self.children.is_empty(),
        };
        if atomic {
            return Self { element: self.element.clone(), member: true, children: Set::default() };
        }
        Self { element: self.element.clone(), member: self.member, children: self.children.reconciled(ty) }
    }
}

#[cfg(test)]
mod tests;
