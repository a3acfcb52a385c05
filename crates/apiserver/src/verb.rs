//! The verbs, each generic over all kinds, and [`Call`]: a request that was let in.

use std::sync::Arc;

use bytes::Bytes;
use jiff::Timestamp;
use nakhoda_api::{GroupKind, GroupResource, Object, Scope, Status};
use nakhoda_store::cache::{Cache, Item};

use crate::admission;
use crate::audit::Trail;
use crate::kind::{Cx, Info, Served};
use crate::pipeline::Pipeline;
use crate::request::{Accept, Action, Caller, ResourceTarget};
use crate::response::{Answer, Response};
use crate::sub;
use crate::user::User;
use notes::Notes;

pub mod body;
pub mod chain;
pub mod collection;
pub mod create;
pub mod delete;
pub mod fence;
pub mod gate;
pub mod get;
pub mod list;
pub mod managed;
pub mod meta;
pub mod notes;
pub mod outcome;
pub mod patch;
pub mod selection;
pub mod token;
pub mod update;
pub mod watch;
pub mod write;

#[cfg(test)]
mod tests;

/// A request that was let in: what it is about, who asks, and what it needs to be answered.
#[derive(Clone)]
pub struct Call {
    /// The way to everything else.
    pub pipeline: Pipeline,
    /// The kind of the resource, also where a subresource is asked.
    pub kind: Arc<Served>,
    /// What it is about.
    pub target: ResourceTarget,
    /// Who asks.
    pub user: User,
    /// `User-Agent`.
    pub agent: String,
    /// The form that the caller reads.
    pub accept: Accept,
    /// When it came.
    pub now: Timestamp,
    /// What is told besides the answer.
    pub notes: Arc<Notes>,
    /// What is told to the auditor.
    pub trail: Trail,
}

/// Answers a call: a subresource or a virtual kind by its handler, everything else by the verb.
pub async fn answer(call: &Call, action: Action) -> Result<Response, Status> {
    let mut response = act(call, action).await?;
    response.warnings.extend(call.notes.take());
    if call.kind.strategy.settles() {
        let items = match &response.answer {
            Answer::Item { item, .. } | Answer::Created { item, .. } => std::slice::from_ref(item),
            Answer::List { items, .. } => items.as_slice(),
            _ => &[],
        };
        call.kind.strategy.settle(items).await?;
    }
    Ok(response)
}

async fn act(call: &Call, action: Action) -> Result<Response, Status> {
    call.check_verb(&action)?;
    if let Some(name) = call.handler() {
        let mut action = action;
        if let Action::Connect(connect) = &mut action {
            admission::connect::admit(call, connect).await?;
        }
        return match sub::find(name) {
            Some(handler) => handler.call(call, action).await,
            None => Err(Status::no_such_path()),
        };
    }
    match action {
        Action::Get { resource_version } => get::get(call, &resource_version).await,
        Action::List(options) => list::list(call, &options).await,
        Action::Watch(options) => watch::watch(call, &options).await,
        Action::Create(write) => create::create(call, write).await,
        Action::Update(write) => update::update(call, write).await,
        Action::Patch(write) => patch::patch(call, write).await,
        Action::Delete(deletion) => delete::delete(call, deletion).await,
        Action::DeleteCollection(deletion, options) => collection::delete(call, deletion, options).await,
        Action::Connect(_) | Action::Visit { .. } => Err(call.unsupported("connect")),
    }
}

/// Whether the path has a namespace where the kind is namespaced, and only there. A right within a namespace is
/// none to what lies outside of it. Namespaces themselves lie in both worlds.
fn fits(info: &Info, target: &ResourceTarget) -> bool {
    match info.scope {
        Scope::Namespaced => target.name.is_empty() || !target.namespace.is_empty(),
        Scope::Cluster => target.namespace.is_empty() || target.namespace == target.name,
    }
}

/// A name is one segment of a path and of a key.
fn check_segment(name: &str) -> Result<(), Status> {
    let fault = match name {
        "." | ".." => format!("may not be '{name}'"),
        _ if name.contains('/') => return Err(Status::no_such_path()),
        _ if name.contains('%') => "may not contain '%'".to_owned(),
        _ => return Ok(()),
    };
    Err(Status::bad_request(format!("Name parameter invalid: {name:?}: {fault}")))
}

// === impl Call ===

impl Call {
    /// Looks the kind up; 404 if the resource or the subresource is not served.
    pub fn new(
        pipeline: &Pipeline,
        target: ResourceTarget,
        user: User,
        caller: &Caller,
        accept: Accept,
    ) -> Result<Self, Status> {
        let kind = pipeline.kinds().get(&target.gvr).ok_or_else(Status::no_such_path)?;
        if !target.subresource.is_empty() && kind.info.sub(&target.subresource).is_none() {
            return Err(Status::no_such_path());
        }
        let behind = !target.path.trim_matches('/').is_empty();
        let proxied = target.subresource == "proxy" || kind.info.private.iter().any(|s| s.name == target.subresource);
        if !fits(&kind.info, &target) || behind && !proxied {
            return Err(Status::no_such_path());
        }
        check_segment(&target.name)?;
        let now = pipeline.now();
        Ok(Self {
            pipeline: pipeline.clone(),
            kind,
            target,
            user,
            agent: caller.agent.clone(),
            accept,
            now,
            notes: caller.notes.clone(),
            trail: caller.trail.clone(),
        })
    }

    /// The same caller on another object, for what one request makes of others.
    #[must_use]
    pub fn on(&self, kind: &Arc<Served>, namespace: &str, name: &str) -> Self {
        let target = ResourceTarget {
            gvr: kind.info.gvr(),
            namespace: namespace.into(),
            name: name.into(),
            ..ResourceTarget::default()
        };
        Self { kind: kind.clone(), target, ..self.clone() }
    }

    /// Group and plural, as errors print them.
    #[must_use]
    pub fn resource(&self) -> GroupResource {
        self.target.gvr.group_resource()
    }

    /// The namespace, or empty for cluster-scoped kinds whatever the request says.
    #[must_use]
    pub fn namespace(&self) -> &str {
        match self.kind.info.scope {
            Scope::Namespaced => &self.target.namespace,
            Scope::Cluster => "",
        }
    }

    /// What the kind's rules are told of the circumstances.
    #[must_use]
    pub fn cx(&self) -> Cx {
        let (user, subresource) = (self.user.clone(), self.target.subresource.clone());
        Cx { user, now: self.now, subresource, absent: Vec::new() }
    }

    /// The cache of the kind.
    #[must_use]
    pub fn cache(&self) -> Cache {
        self.pipeline.storage().cache(&self.kind.info)
    }

    /// The key of an object of this kind in the request's namespace.
    #[must_use]
    pub fn key(&self, name: &str) -> Bytes {
        self.pipeline.storage().key(&self.kind.info, self.namespace(), name)
    }

    /// The kind that faults are told of: the one of all that lie together in the store that is served first.
    #[must_use]
    pub fn fault_kind(&self) -> GroupKind {
        let info = &self.kind.info;
        let first = self.pipeline.kinds().all().into_iter().find(|kind| kind.info.storage == info.storage);
        first.map_or_else(|| info.gvk.group_kind(), |kind| kind.info.gvk.group_kind())
    }

    /// 404 for the object that was asked.
    #[must_use]
    pub fn not_found(&self) -> Status {
        Status::not_found(&self.resource(), &self.target.name)
    }

    /// 405.
    #[must_use]
    pub fn unsupported(&self, verb: &str) -> Status {
        Status::method_not_supported(&self.resource(), verb)
    }

    /// An item as this kind's version shows it.
    #[must_use]
    pub fn item(&self, item: Arc<Item>) -> Answer {
        Answer::Item { kind: self.kind.clone(), item }
    }

    /// An object that is not stored as it is shown.
    #[must_use]
    pub fn object(&self, object: Object, created: bool) -> Answer {
        Answer::Object { kind: Some(self.kind.clone()), object: Box::new(object), created }
    }

    /// The name under which a handler is registered, if this is for one.
    fn handler(&self) -> Option<&str> {
        match (self.target.subresource.as_str(), self.kind.info.virtual_) {
            ("", false) => None,
            ("", true) => Some(self.kind.info.plural),
            (sub, _) => Some(sub),
        }
    }

    fn check_verb(&self, action: &Action) -> Result<(), Status> {
        let verb = match action {
            Action::Get { .. } => "get",
            Action::List(_) => "list",
            Action::Watch(_) => "watch",
            Action::Create(_) => "create",
            Action::Update(_) => "update",
            Action::Patch(_) => "patch",
            Action::Delete(_) => "delete",
            Action::DeleteCollection(..) => "deletecollection",
            // the handler of the subresource knows which methods it takes
            Action::Connect(_) if !self.target.subresource.is_empty() => return Ok(()),
            Action::Connect(_) | Action::Visit { .. } => return Err(self.unsupported("connect")),
        };
        let verbs = match self.kind.info.sub(&self.target.subresource) {
            Some(sub) => sub.verbs,
            None => self.kind.info.verbs,
        };
        match verb {
            verb if verbs.contains(&verb) => Ok(()),
            // the path of a list takes the request, and only then finds that it cannot be followed
            "watch" if verbs.contains(&"list") => Err(self.unsupported(verb)),
            _ => Err(Status::method_not_allowed()),
        }
    }
}
