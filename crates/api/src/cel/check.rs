//! Types of expressions: what cannot be is told before it is run.

use super::ast::{Each, EachKind, Expr, Node};
use super::overloads::{Overload, alias, forms};
use super::types::Type;
use super::{Issue, Variables, mutation};

/// Names of types, which are values too.
const TYPES: [&str; 12] =
    ["bool", "int", "uint", "double", "string", "bytes", "list", "map", "null_type", "type", "dyn", "optional_type"];

struct Checker<'s> {
    scopes: Vec<(String, Type<'s>)>,
    mutates: bool,
    issues: Vec<Issue>,
}

/// The type of an expression, and what is wrong in it; `mutates` if it may make values of the types of mutations.
pub(super) fn check<'s>(node: &Node, variables: &Variables<'s>, mutates: bool) -> (Type<'s>, Vec<Issue>) {
    let scopes = variables.iter().map(|(name, kind)| (name.clone(), kind.clone())).collect();
    let mut checker = Checker { scopes, mutates, issues: Vec::new() };
    let kind = checker.node(node);
    (kind, checker.issues)
}

// === impl Checker ===

impl<'s> Checker<'s> {
    fn fail(&mut self, at: usize, what: impl Into<String>) -> Type<'s> {
        self.issues.push(Issue::new(at, what));
        Type::Dyn
    }

    fn node(&mut self, node: &Node) -> Type<'s> {
        match &node.expr {
            Expr::Null => Type::Null,
            Expr::Bool(_) => Type::Bool,
            Expr::Int(_) => Type::Int,
            Expr::Uint(_) => Type::Uint,
            Expr::Double(_) => Type::Double,
            Expr::Text(_) => Type::Text,
            Expr::Bytes(_) => Type::Bytes,
            Expr::Name(name) => self.name(name, node.at),
            Expr::Select { of, field, optional } => {
                let kind = self.node(of);
                let found = self.field(&kind, field, node.at);
                let wrap = *optional && !matches!(found, Type::Optional(_));
                if wrap { Type::Optional(Box::new(found)) } else { found }
            }
            Expr::Has { of, field } => {
                let kind = self.node(of);
                self.field(&kind, field, node.at);
                Type::Bool
            }
            Expr::Index { of, key, optional } => self.index(of, key, *optional, node.at),
            Expr::Call { name, of, with } => self.call(name, of.as_deref(), with, node.at),
            Expr::List(items) => {
                let kinds: Vec<Type<'s>> = items
                    .iter()
                    .map(|(item, optional)| {
                        let kind = self.node(item);
                        unwrapped(kind, *optional)
                    })
                    .collect();
                Type::list(common(kinds))
            }
            Expr::Map(entries) => {
                let (mut keys, mut values) = (Vec::new(), Vec::new());
                for (key, value, optional) in entries {
                    keys.push(self.node(key));
                    let kind = self.node(value);
                    values.push(unwrapped(kind, *optional));
                }
                Type::map(common(keys), common(values))
            }
            Expr::Made(name, fields) => self.made(name, fields, node.at),
            Expr::Each(each) => self.each(each),
            Expr::Bind { name, value, within } => {
                let kind = self.node(value);
                self.scopes.push((name.clone(), kind));
                let kind = self.node(within);
                self.scopes.pop();
                kind
            }
        }
    }

    fn made(&mut self, name: &str, fields: &[(String, Node, bool)], at: usize) -> Type<'s> {
        let known = self.mutates && mutation::is_type(name);
        for (field, value, optional) in fields {
            let given = self.node(value);
            let given = unwrapped(given, *optional);
            match mutation::field(name, field).filter(|_| known) {
                Some(wanted) if !given.fits(&wanted) => {
                    let why = format!("expected type of field '{field}' is '{wanted}' but provided type is '{given}'");
                    self.fail(value.at, why);
                }
                None if known => drop(self.fail(value.at, format!("undefined field '{field}'"))),
                _ => {}
            }
        }
        if known { Type::Made(name.to_owned()) } else { self.undeclared(name, at) }
    }

    fn undeclared(&mut self, name: &str, at: usize) -> Type<'s> {
        self.fail(at, format!("undeclared reference to '{name}' (in container '')"))
    }

    fn name(&mut self, name: &str, at: usize) -> Type<'s> {
        match self.scopes.iter().rev().find(|(known, _)| known == name) {
            Some((_, kind)) => kind.clone(),
            None if TYPES.contains(&name) => Type::Type,
            None => self.undeclared(name, at),
        }
    }

    fn field(&mut self, kind: &Type<'s>, field: &str, at: usize) -> Type<'s> {
        match kind.field(field) {
            Some(found) => found,
            None if matches!(
                kind,
                Type::Object(..) | Type::Metadata | Type::Record(_) | Type::Made(_) | Type::Named(super::device::KIND)
            ) =>
            {
                self.fail(at, format!("undefined field '{field}'"))
            }
            None => self.fail(at, format!("type '{kind}' does not support field selection")),
        }
    }

    fn index(&mut self, of: &Node, key: &Node, optional: bool, at: usize) -> Type<'s> {
        let (kind, by) = (self.node(of), self.node(key));
        let (plain, lifted) = match kind {
            Type::Optional(inner) => (*inner, true),
            other => (other, optional),
        };
        let found = match &plain {
            Type::List(item) if by.fits(&Type::Int) => (**item).clone(),
            Type::Map(key, value) if by.fits(key) => (**value).clone(),
            Type::Dyn | Type::Any(_) => Type::Dyn,
            _ => return self.fail(at, format!("found no matching overload for '_[_]' applied to '({plain}, {by})'")),
        };
        if lifted { Type::Optional(Box::new(found)) } else { found }
    }

    fn each(&mut self, each: &Each) -> Type<'s> {
        let before = self.issues.len();
        let range = self.node(&each.range);
        let item = match &range {
            Type::List(item) => (**item).clone(),
            Type::Map(key, _) => (**key).clone(),
            Type::Dyn | Type::Any(_) => Type::Dyn,
            other => {
                if self.issues.len() == before {
                    let why = format!(
                        "expression of type '{other}' cannot be range of a comprehension (must be list, map, or dynamic)"
                    );
                    self.fail(each.range.at, why);
                }
                return if each.kind == EachKind::Filter { Type::list(Type::Dyn) } else { Type::Bool };
            }
        };
        self.scopes.push((each.name.clone(), item.clone()));
        if let Some(filter) = &each.filter {
            self.boolean(filter);
        }
        let kind = match each.kind {
            EachKind::Map => Type::list(self.node(&each.step)),
            EachKind::Filter => {
                self.boolean(&each.step);
                Type::list(item)
            }
            EachKind::All | EachKind::Exists | EachKind::ExistsOne => {
                self.boolean(&each.step);
                Type::Bool
            }
        };
        self.scopes.pop();
        kind
    }

    fn boolean(&mut self, node: &Node) {
        let kind = self.node(node);
        if !kind.fits(&Type::Bool) {
            self.fail(node.at, format!("expected type 'bool' but found '{kind}'"));
        }
    }

    fn call(&mut self, name: &str, of: Option<&Node>, with: &[Node], at: usize) -> Type<'s> {
        let of_kind = of.map(|of| self.node(of));
        let kinds: Vec<Type<'s>> = with.iter().map(|node| self.node(node)).collect();
        let all = forms(alias(name));
        let known = all.iter().any(|form| form.of.is_some() == of.is_some());
        if !known || (!self.mutates && name.starts_with("jsonpatch.")) {
            return self.undeclared(name, at);
        }
        let mut found: Option<Type<'s>> = None;
        for form in all.iter().filter(|form| form.of.is_some() == of.is_some() && form.with.len() == kinds.len()) {
            let Some(gives) = matched(form, of_kind.as_ref(), &kinds) else { continue };
            found = Some(match found {
                Some(other) if other != gives => Type::Dyn,
                _ => gives,
            });
        }
        found.unwrap_or_else(|| {
            let kinds = kinds.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
            let of = of_kind.map(|kind| format!("{kind}.")).unwrap_or_default();
            self.fail(at, format!("found no matching overload for '{name}' applied to '{of}({kinds})'"))
        })
    }
}

/// What a form gives for these types, if it takes them.
fn matched<'s>(form: &'static Overload, of: Option<&Type<'s>>, with: &[Type<'s>]) -> Option<Type<'s>> {
    let mut bound: Vec<(char, Type<'s>)> = Vec::new();
    let pairs = form.of.iter().zip(of).chain(form.with.iter().zip(with));
    for (wanted, given) in pairs {
        if !bind(wanted, given, &mut bound) {
            return None;
        }
    }
    Some(resolved(&form.gives, &bound))
}

fn bind<'s>(wanted: &Type<'static>, given: &Type<'s>, bound: &mut Vec<(char, Type<'s>)>) -> bool {
    match (wanted, given) {
        (Type::Any(name), given) => match bound.iter_mut().find(|(known, _)| known == name) {
            Some((_, known)) if matches!(known, Type::Dyn | Type::Any(_) | Type::Null) => {
                let fits = given.fits(known);
                if !matches!(given, Type::Null) {
                    *known = given.clone();
                }
                fits
            }
            Some((_, known)) => given.fits(known),
            None => {
                bound.push((*name, given.clone()));
                true
            }
        },
        (_, Type::Dyn | Type::Any(_)) => true,
        (Type::List(a), Type::List(b)) | (Type::Optional(a), Type::Optional(b)) => bind(a, b, bound),
        (Type::Map(k, v), Type::Map(l, w)) => bind(k, l, bound) && bind(v, w, bound),
        (wanted, given) => given.fits(wanted),
    }
}

fn resolved<'s>(kind: &Type<'static>, bound: &[(char, Type<'s>)]) -> Type<'s> {
    match kind {
        Type::Any(name) => bound.iter().find(|(known, _)| known == name).map_or(Type::Dyn, |(_, kind)| kind.clone()),
        Type::List(of) => Type::list(resolved(of, bound)),
        Type::Optional(of) => Type::Optional(Box::new(resolved(of, bound))),
        Type::Map(key, value) => Type::map(resolved(key, bound), resolved(value, bound)),
        other => other.clone(),
    }
}

fn unwrapped(kind: Type<'_>, optional: bool) -> Type<'_> {
    match kind {
        Type::Optional(of) if optional => *of,
        other => other,
    }
}

/// The one type of all, or `dyn`.
fn common(kinds: Vec<Type<'_>>) -> Type<'_> {
    let mut kinds = kinds.into_iter();
    let Some(first) = kinds.next() else { return Type::Dyn };
    if kinds.all(|kind| kind == first) { first } else { Type::Dyn }
}
