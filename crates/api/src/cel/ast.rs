//! What an expression is made of.

/// A part of an expression and where it stands, in characters.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// What.
    pub expr: Expr,
    /// Where: of an operator its sign, of a call its parenthesis, of a selection its dot.
    pub at: usize,
}

/// The kinds of parts.
#[derive(Clone, Debug, PartialEq)]
pub enum Expr {
    /// `null`.
    Null,
    /// `true`, `false`.
    Bool(bool),
    /// `1`.
    Int(i64),
    /// `1u`.
    Uint(u64),
    /// `1.0`.
    Double(f64),
    /// `"a"`.
    Text(String),
    /// `b"a"`.
    Bytes(Vec<u8>),
    /// A variable.
    Name(String),
    /// `a.b`, `a.?b`.
    Select {
        /// Of what.
        of: Box<Node>,
        /// Which field.
        field: String,
        /// Whether it may be missing: the value is an optional.
        optional: bool,
    },
    /// `has(a.b)`.
    Has {
        /// Of what.
        of: Box<Node>,
        /// Which field.
        field: String,
    },
    /// `a[b]`, `a[?b]`.
    Index {
        /// Of what.
        of: Box<Node>,
        /// Which item or key.
        key: Box<Node>,
        /// Whether it may be missing: the value is an optional.
        optional: bool,
    },
    /// A function, an operator (`_==_`) or a method.
    Call {
        /// Its name.
        name: String,
        /// Of what it is a method.
        of: Option<Box<Node>>,
        /// What it is given.
        with: Vec<Node>,
    },
    /// `[a, ?b]`; the flag is that of the question mark.
    List(Vec<(Node, bool)>),
    /// `{a: b, ?c: d}`.
    Map(Vec<(Node, Node, bool)>),
    /// `Object.spec{a: b, ?c: d}`: a value of a named type.
    Made(String, Vec<(String, Node, bool)>),
    /// `a.all(x, …)` and its like.
    Each(Box<Each>),
    /// `cel.bind(x, a, …)`.
    Bind {
        /// The name.
        name: String,
        /// What it stands for.
        value: Box<Node>,
        /// Where it does.
        within: Box<Node>,
    },
}

/// A macro over a list or the keys of a map.
#[derive(Clone, Debug, PartialEq)]
pub struct Each {
    /// Which macro.
    pub kind: EachKind,
    /// Over what.
    pub range: Node,
    /// The name of the item or key.
    pub name: String,
    /// Which items, of `map` with three arguments.
    pub filter: Option<Node>,
    /// What is asked or made of each.
    pub step: Node,
}

/// The macros.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EachKind {
    /// True of all.
    All,
    /// True of any.
    Exists,
    /// True of exactly one.
    ExistsOne,
    /// The items of which it is true.
    Filter,
    /// What is made of each.
    Map,
}

// === impl Node ===

impl Node {
    /// `a.b.c` as a name, if this is one.
    #[must_use]
    pub fn dotted(&self) -> Option<String> {
        match &self.expr {
            Expr::Name(name) => Some(name.clone()),
            Expr::Select { of, field, optional: false } => Some(format!("{}.{field}", of.dotted()?)),
            _ => None,
        }
    }

    /// Whether a variable is named anywhere within.
    #[must_use]
    pub fn names(&self, variable: &str) -> bool {
        self.any(&|node| matches!(&node.expr, Expr::Name(name) if name == variable))
    }

    /// Whether a field of a variable is selected anywhere within: `a.b`, `a.?b`.
    #[must_use]
    pub fn selects(&self, variable: &str, wanted: &str) -> bool {
        self.any(&|node| match &node.expr {
            Expr::Select { of, field, .. } | Expr::Has { of, field } => {
                field == wanted && matches!(&of.expr, Expr::Name(name) if name == variable)
            }
            _ => false,
        })
    }

    /// Whether something is so of this part or of any within.
    fn any(&self, is: &dyn Fn(&Self) -> bool) -> bool {
        is(self)
            || match &self.expr {
                Expr::Select { of, .. } | Expr::Has { of, .. } => of.any(is),
                Expr::Index { of, key, .. } => of.any(is) || key.any(is),
                Expr::Call { of, with, .. } => of.iter().any(|of| of.any(is)) || with.iter().any(|n| n.any(is)),
                Expr::List(items) => items.iter().any(|(item, _)| item.any(is)),
                Expr::Map(entries) => entries.iter().any(|(key, value, _)| key.any(is) || value.any(is)),
                Expr::Made(_, fields) => fields.iter().any(|(_, value, _)| value.any(is)),
                Expr::Each(each) => {
                    [Some(&each.range), each.filter.as_ref(), Some(&each.step)].into_iter().flatten().any(|n| n.any(is))
                }
                Expr::Bind { value, within, .. } => value.any(is) || within.any(is),
                _ => false,
            }
    }
}
