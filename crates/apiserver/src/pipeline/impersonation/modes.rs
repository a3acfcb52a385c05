//! The modes of acting as somebody else, and what must be allowed in each. Plain functions over values.

use nakhoda_api::field::{Errors, Path};
use nakhoda_api::{GroupVersionResource, names};

use crate::authz::Attributes;
use crate::request::{ResourceTarget, Target};
use crate::rules::reference::domain_path;
use crate::user::{MASTERS, User};

/// The group of all questions but the old mode's about users and groups.
const GROUP: &str = "authentication.k8s.io";
/// From so many values on, the right to all of them is asked about first.
const MANY: usize = 4;
/// The node of the pod that a token is bound to.
const NODE_NAME: &str = "authentication.kubernetes.io/node-name";
/// What is told of the caller's own facts where they do not matter.
const NODE_KEYS: &str = "authentication.kubernetes.io/associated-node-keys";

/// All modes, in the order in which they are tried.
pub(super) const MODES: [Mode; 5] =
    [Mode::AssociatedNode, Mode::ArbitraryNode, Mode::ServiceAccount, Mode::UserInfo, Mode::Legacy];

/// A mode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    /// A pod acts as its own node.
    AssociatedNode,
    /// Anybody acts as a node.
    ArbitraryNode,
    /// Anybody acts as a service account.
    ServiceAccount,
    /// Anybody acts as anybody else.
    UserInfo,
    /// The old one: whoever may, may do anything as the other.
    Legacy,
}

/// What must be so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Check {
    /// This is allowed.
    One(Attributes),
    /// This is allowed, or else each of these.
    Many { all: Attributes, each: Vec<Attributes> },
    /// It never is, and why.
    Never(Attributes, String),
}

// === impl Mode ===

impl Mode {
    const fn name(self) -> &'static str {
        match self {
            Self::AssociatedNode => "associated-node",
            Self::ArbitraryNode => "arbitrary-node",
            Self::ServiceAccount => "serviceaccount",
            Self::UserInfo => "user-info",
            Self::Legacy => "",
        }
    }

    fn verb(self) -> String {
        if self == Self::Legacy { "impersonate".into() } else { format!("impersonate:{}", self.name()) }
    }

    /// The verb, where it binds.
    pub(super) fn constraint(self) -> String {
        if self == Self::Legacy { String::new() } else { self.verb() }
    }

    /// Whether this is a mode for such a user, and such a caller.
    pub(super) fn suits(self, other: &User, caller: &User) -> bool {
        let only_name = other.uid.is_empty() && other.groups.is_empty() && other.extra.is_empty();
        let (node, account) = (node(&other.name), service_account(&other.name));
        match self {
            Self::AssociatedNode => only_name && node.is_some_and(|node| is_on(caller, node)),
            Self::ArbitraryNode => only_name && node.is_some(),
            Self::ServiceAccount => only_name && account.is_some(),
            Self::UserInfo => node.is_none() && account.is_none(),
            Self::Legacy => true,
        }
    }
}

/// Whether the caller is a pod's service account on this node.
fn is_on(caller: &User, node: &str) -> bool {
    let told = caller.extra.get(NODE_NAME);
    service_account(&caller.name).is_some() && told.is_some_and(|told| told.as_slice() == [node])
}

/// What must be allowed, in the order in which it is asked.
pub(super) fn checks(mode: Mode, request: &Attributes, other: &User) -> Vec<Check> {
    let mut caller = request.user.clone();
    if mode == Mode::AssociatedNode {
        // the answer must be the same for all pods of the account, wherever they run
        caller.extra = [(NODE_KEYS.to_owned(), caller.extra.into_keys().collect())].into();
    }
    let mut checks = Vec::new();
    if mode != Mode::Legacy {
        let verb = format!("impersonate-on:{}:{}", mode.name(), request.verb);
        checks.push(Check::One(Attributes { user: caller.clone(), verb, ..request.clone() }));
    }
    let ask = Ask { mode, caller };
    checks.push(Check::One(ask.name(&other.name)));
    if !other.uid.is_empty() {
        checks.push(Check::One(ask.about(GROUP, "uids", &other.uid, "")));
    }
    checks.extend(ask.groups(&other.groups));
    checks.extend(ask.extra(other));
    checks
}

/// Who asks, and in which mode.
struct Ask {
    mode: Mode,
    caller: User,
}

// === impl Ask ===

impl Ask {
    fn about(&self, group: &str, resource: &str, name: &str, subresource: &str) -> Attributes {
        let target = ResourceTarget {
            gvr: GroupVersionResource::new(group, "v1", resource),
            name: name.into(),
            subresource: subresource.into(),
            ..ResourceTarget::default()
        };
        let target = Target::Resource(target);
        Attributes::new(self.caller.clone(), self.mode.verb(), target)
    }

    /// The group of users and groups.
    fn group(&self) -> &'static str {
        if self.mode == Mode::Legacy { "" } else { GROUP }
    }

    fn name(&self, name: &str) -> Attributes {
        if let Some((namespace, account)) = service_account(name) {
            let mut asked = self.about(self.group(), "serviceaccounts", account, "");
            if let Target::Resource(target) = &mut asked.target {
                target.namespace = namespace.into();
            }
            return asked;
        }
        match (self.mode, node(name)) {
            (Mode::AssociatedNode, Some(_)) => self.about(GROUP, "nodes", "*", ""),
            (Mode::Legacy, _) | (_, None) => self.about(self.group(), "users", name, ""),
            (_, Some(node)) => self.about(GROUP, "nodes", node, ""),
        }
    }

    fn groups(&self, groups: &[String]) -> Vec<Check> {
        let ask = |name: &str| self.about(self.group(), "groups", name, "");
        let binds = self.mode != Mode::Legacy;
        if binds && groups.iter().any(String::is_empty) {
            return vec![Check::Never(ask(""), "impersonating the empty string group is not allowed".into())];
        }
        if binds && groups.iter().any(|group| group == MASTERS) {
            return vec![Check::Never(ask(MASTERS), "impersonating the system:masters group is not allowed".into())];
        }
        many(binds, ask("*"), groups.iter().map(|group| ask(group)).collect())
    }

    fn extra(&self, other: &User) -> Vec<Check> {
        let ask = |key: &str, value: &str| self.about(GROUP, "userextras", value, key);
        let binds = self.mode != Mode::Legacy;
        if let Some(why) = other.extra.iter().filter(|_| binds).find_map(|(key, values)| fault(key, values)) {
            return vec![Check::Never(ask("", ""), why)];
        }
        let each = other.extra.iter().flat_map(|(key, values)| values.iter().map(|value| ask(key, value)));
        many(binds, ask("*", "*"), each.collect())
    }
}

/// Each of them, or all at once if they are many.
fn many(binds: bool, all: Attributes, each: Vec<Attributes>) -> Vec<Check> {
    if binds && each.len() >= MANY {
        return vec![Check::Many { all, each }];
    }
    each.into_iter().map(Check::One).collect()
}

/// Why nobody may have such a fact.
fn fault(key: &str, values: &[String]) -> Option<String> {
    if key.is_empty() {
        return Some("impersonating the empty string key in extra is not allowed".into());
    }
    let mut errors = Errors::default();
    domain_path(&mut errors, &Path::new("extra").child("key"), key);
    if !errors.is_empty() {
        return Some(format!("impersonating an invalid key in extra is not allowed: {errors}"));
    }
    if key.chars().any(char::is_uppercase) {
        return Some(format!("impersonating a non-lowercase key in extra is not allowed: {key:?}"));
    }
    let empty = values.iter().any(String::is_empty);
    empty.then(|| "impersonating the empty string value in extra is not allowed".into())
}

/// Namespace and name of a service account, by its user name.
pub(super) fn service_account(name: &str) -> Option<(&str, &str)> {
    let (namespace, name) = name.strip_prefix("system:serviceaccount:")?.split_once(':')?;
    let valid = names::is_dns1123_label(namespace).is_empty() && names::is_dns1123_subdomain(name).is_empty();
    valid.then_some((namespace, name))
}

/// The node of a kubelet's user name.
pub(super) fn node(name: &str) -> Option<&str> {
    name.strip_prefix("system:node:").filter(|name| names::is_dns1123_subdomain(name).is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(name: &str, groups: &[&str]) -> User {
        User { name: name.into(), groups: groups.iter().map(|group| (*group).to_owned()).collect(), ..User::default() }
    }

    fn asked(mode: Mode, caller: User, other: &User) -> Vec<String> {
        let gvr = GroupVersionResource::new("", "v1", "pods");
        let target = Target::Resource(ResourceTarget { gvr, namespace: "ns".into(), ..ResourceTarget::default() });
        let request = Attributes::new(caller, "list", target);
        let line = |asked: &Attributes| match &asked.target {
            Target::Resource(t) => format!(
                "{} {}/{} {}/{} {}",
                asked.verb, t.gvr.group, t.gvr.resource, t.namespace, t.name, t.subresource
            )
            .trim_end()
            .to_owned(),
            Target::Path(path) => path.clone(),
        };
        let checks = checks(mode, &request, other);
        checks
            .iter()
            .map(|check| match check {
                Check::One(one) => line(one),
                Check::Many { all, each } => format!("{} or {}", line(all), each.len()),
                Check::Never(_, why) => why.clone(),
            })
            .collect()
    }

    #[test]
    fn the_old_mode_asks_about_the_core_group() {
        let mut other = user("jane", &["a", "system:masters"]);
        other.uid = "7".into();
        other.extra.insert("Key".into(), vec!["v".into()]);
        assert_eq!(
            asked(Mode::Legacy, user("bob", &[]), &other),
            [
                "impersonate /users /jane",
                "impersonate authentication.k8s.io/uids /7",
                "impersonate /groups /a",
                "impersonate /groups /system:masters",
                "impersonate authentication.k8s.io/userextras /v Key",
            ]
        );
        assert_eq!(
            asked(Mode::Legacy, user("bob", &[]), &user("system:serviceaccount:ns:bot", &[])),
            ["impersonate /serviceaccounts ns/bot",]
        );
    }

    #[test]
    fn the_new_modes_ask_what_for() {
        let bob = || user("bob", &[]);
        assert_eq!(
            asked(Mode::UserInfo, bob(), &user("jane", &["a"])),
            [
                "impersonate-on:user-info:list /pods ns/",
                "impersonate:user-info authentication.k8s.io/users /jane",
                "impersonate:user-info authentication.k8s.io/groups /a",
            ]
        );
        assert_eq!(
            asked(Mode::UserInfo, bob(), &user("jane", &["a", "b", "c", "d"]))[2..],
            ["impersonate:user-info authentication.k8s.io/groups /* or 4",]
        );
        assert_eq!(
            asked(Mode::UserInfo, bob(), &user("jane", &["system:masters"]))[2..],
            ["impersonating the system:masters group is not allowed",]
        );
        assert_eq!(
            asked(Mode::ArbitraryNode, bob(), &user("system:node:a", &[]))[1..],
            ["impersonate:arbitrary-node authentication.k8s.io/nodes /a",]
        );
        assert_eq!(
            asked(Mode::AssociatedNode, bob(), &user("system:node:a", &[]))[1..],
            ["impersonate:associated-node authentication.k8s.io/nodes /*",]
        );
    }

    #[test]
    fn a_mode_suits_its_users_only() {
        let mut agent = user("system:serviceaccount:ns:agent", &[]);
        agent.extra.insert(NODE_NAME.into(), vec!["a".into()]);
        let suiting = |name: &str, groups: &[&str]| -> Vec<Mode> {
            MODES.into_iter().filter(|mode| mode.suits(&user(name, groups), &agent)).collect()
        };
        assert_eq!(suiting("system:node:a", &[]), [Mode::AssociatedNode, Mode::ArbitraryNode, Mode::Legacy]);
        assert_eq!(suiting("system:node:b", &[]), [Mode::ArbitraryNode, Mode::Legacy]);
        assert_eq!(suiting("system:node:a", &["x"]), [Mode::Legacy]);
        assert_eq!(suiting("system:serviceaccount:ns:bot", &[]), [Mode::ServiceAccount, Mode::Legacy]);
        assert_eq!(suiting("jane", &["x"]), [Mode::UserInfo, Mode::Legacy]);
    }
}
