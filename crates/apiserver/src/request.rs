//! [`Request`]: the only input of the pipeline. Both fronts build it, and nothing behind them knows
//! which of the two it was.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use nakhoda_api::wire::Media;
use nakhoda_api::{GroupVersionResource, Object};
use parking_lot::Mutex;
use rustls_pki_types::CertificateDer;

use crate::audit::trail::{Origin, Trail};
use crate::authn::bearer;
use crate::pipeline::flow::Slot;
use crate::user::User;
use crate::verb::notes::Notes;

/// One request.
#[derive(Debug)]
pub struct Request {
    /// What it is about.
    pub target: Target,
    /// What is to be done.
    pub action: Action,
    /// Who asks, as far as the connection and the headers say.
    pub caller: Caller,
    /// The form that the caller reads. Table rows and partial objects are made by the front; the verbs
    /// only refuse forms that make no sense for them.
    pub accept: Accept,
}

/// What a request is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// An object or a collection.
    Resource(ResourceTarget),
    /// A path outside the resource tree, for example `/version`; authorized as a non-resource URL.
    Path(String),
}

/// An object, a collection, or a subresource of an object.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ResourceTarget {
    /// Group, version and plural name.
    pub gvr: GroupVersionResource,
    /// Empty for cluster-scoped objects and for all namespaces.
    pub namespace: String,
    /// Empty for collections.
    pub name: String,
    /// Empty for the object itself.
    pub subresource: String,
    /// What stands behind the subresource, for `proxy`: `/a/b`.
    pub path: String,
}

/// The credentials that came along.
#[derive(Clone, Debug, Default)]
pub struct Caller {
    /// The client's certificate chain, verified against the client CA by TLS.
    pub certificates: Arc<[CertificateDer<'static>]>,
    /// A bearer token.
    pub bearer: Option<String>,
    /// Whom a proxy in front names; to be believed only from one.
    pub remote: Option<User>,
    /// `Impersonate-User` and its kin.
    pub impersonate: Option<User>,
    /// Where the connection comes from.
    pub address: Option<SocketAddr>,
    /// `User-Agent`; the default field manager is made of it.
    pub agent: String,
    /// Set by the pipeline once known; a request made inside the process sets it itself.
    pub user: Option<User>,
    /// What is told besides the answer, be it a failure.
    pub notes: Arc<Notes>,
    /// Where the pipeline leaves by which FlowSchema the request was let in, for who tells it to the client.
    pub flow: Option<Slot>,
    /// What only audit wants to know.
    pub origin: Origin,
    /// What the authenticators had to say of its token.
    pub token: Arc<Mutex<bearer::Notes>>,
    /// What is told of the request; who streams the answer keeps a clone until it is over.
    pub trail: Trail,
}

/// A verb with its options.
#[derive(Debug)]
pub enum Action {
    /// Read one object.
    Get {
        /// `""` (linearizable), `"0"` (any), or a revision that must have been reached.
        resource_version: String,
    },
    /// Read a collection.
    List(ListOptions),
    /// Follow a collection.
    Watch(WatchOptions),
    /// Make an object, or call a subresource that takes one.
    Create(Write),
    /// Replace an object.
    Update(Write),
    /// Change an object.
    Patch(PatchWrite),
    /// Remove an object.
    Delete(Deletion),
    /// Remove all objects of a selection.
    DeleteCollection(Deletion, ListOptions),
    /// Open a stream: log, exec, attach, portforward, proxy, images.
    Connect(Connect),
    /// A non-resource URL is read.
    Visit {
        /// The HTTP method, lower case.
        method: String,
    },
}

/// Which objects of a collection.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ListOptions {
    /// A label selector as text.
    pub labels: String,
    /// A field selector as text.
    pub fields: String,
    /// See meta/v1 ListOptions.
    pub resource_version: String,
    /// `""`, `Exact` or `NotOlderThan`.
    pub resource_version_match: String,
    /// 0: no limit.
    pub limit: i64,
    /// The token of the page before.
    pub continue_token: String,
}

/// How to follow a collection.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WatchOptions {
    /// Selection and starting point.
    pub list: ListOptions,
    /// Whether the caller wants bookmarks.
    pub bookmarks: bool,
    /// `sendInitialEvents`, if given.
    pub send_initial_events: Option<bool>,
    /// Seconds after which the stream ends.
    pub timeout_seconds: Option<u64>,
}

/// A body as it came.
#[derive(Clone, Debug)]
pub enum Body {
    /// Encoded.
    Bytes {
        /// How.
        media: Media,
        /// The bytes; their number was checked by the front.
        bytes: Bytes,
    },
    /// Made inside this process.
    Object(Box<Object>),
}

/// Options of every write.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WriteOptions {
    /// Do everything but store.
    pub dry_run: bool,
    /// Who owns the fields; empty: made of the user agent.
    pub field_manager: String,
    /// What happens to unknown and duplicate fields.
    pub validation: FieldValidation,
    /// Refuse the write unless this Lease is still held.
    pub fence: Option<Fence>,
}

/// `fieldValidation`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FieldValidation {
    /// Drop them silently.
    Ignore,
    /// Drop them and say so in a warning: the default.
    #[default]
    Warn,
    /// Refuse the request.
    Strict,
}

/// A leadership that a write depends on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fence {
    /// Of the Lease.
    pub namespace: String,
    /// Of the Lease.
    pub name: String,
    /// `spec.holderIdentity`.
    pub holder: String,
    /// `spec.leaseTransitions`.
    pub transitions: i32,
}

/// A create or an update.
#[derive(Debug)]
pub struct Write {
    /// The new object.
    pub body: Body,
    /// How.
    pub options: WriteOptions,
}

/// A patch.
#[derive(Debug)]
pub struct PatchWrite {
    /// Which kind of patch.
    pub kind: nakhoda_api::patch::PatchKind,
    /// The patch.
    pub bytes: Bytes,
    /// Take over fields that others own (apply only).
    pub force: bool,
    /// How.
    pub options: WriteOptions,
}

/// A deletion.
#[derive(Debug)]
pub struct Deletion {
    /// meta/v1 DeleteOptions, from the body or the query.
    pub body: Option<Body>,
    /// How.
    pub options: WriteOptions,
}

/// A stream to be opened.
#[derive(Debug, Default)]
pub struct Connect {
    /// The HTTP method, lower case (`get`, `post`): decides the verb that is authorized.
    pub method: String,
    /// The query, in order, with repeats.
    pub parameters: Vec<(String, String)>,
    /// Whether nothing but an answer can follow: plain HTTP that is not to be upgraded.
    pub plain: bool,
}

/// The form that the caller reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Accept {
    /// The encoding.
    pub media: Media,
    /// Whole objects, rows, or metadata.
    pub form: Form,
    /// Indented JSON for people.
    pub pretty: bool,
}

/// What of an object is sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Form {
    /// All of it.
    #[default]
    Object,
    /// `as=Table`.
    Table(Included),
    /// `as=PartialObjectMetadata` (`…List` for collections).
    Metadata,
}

/// What a Table's rows carry in `object` (`includeObject`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Included {
    /// The metadata: the default.
    #[default]
    Metadata,
    /// Nothing.
    None,
    /// The whole object.
    Object,
}

// === impl Caller ===

impl Caller {
    /// Keeps what an authenticator has to say.
    pub fn note(&self, notes: bearer::Notes) {
        *self.token.lock() = notes;
    }
}

// === impl Request ===

impl Request {
    /// A request that this process makes of itself.
    #[must_use]
    pub fn internal(target: ResourceTarget, action: Action) -> Self {
        let caller = Caller { user: Some(User::system()), agent: "apiserver".into(), ..Caller::default() };
        Self { target: Target::Resource(target), action, caller, accept: Accept::default() }
    }

    /// Whether this is held open: no deadline, no place among the requests in flight.
    #[must_use]
    pub const fn is_stream(&self) -> bool {
        matches!(self.action, Action::Watch(_) | Action::Connect(_))
    }

    /// Whether this may change something.
    #[must_use]
    pub const fn is_write(&self) -> bool {
        !matches!(self.action, Action::Get { .. } | Action::List(_) | Action::Watch(_) | Action::Visit { .. })
    }

    /// The word that authorization knows (`get`, `list`, …).
    #[must_use]
    pub fn verb(&self) -> &str {
        match &self.action {
            Action::Get { .. } => "get",
            Action::List(_) => "list",
            Action::Watch(_) => "watch",
            Action::Create(_) => "create",
            Action::Update(_) => "update",
            Action::Patch(_) => "patch",
            Action::Delete(_) => "delete",
            Action::DeleteCollection(..) => "deletecollection",
            Action::Connect(connect) => match connect.method.as_str() {
                "post" => "create",
                "put" => "update",
                "patch" => "patch",
                "delete" => "delete",
                _ => "get",
            },
            Action::Visit { method } => method,
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Path(path) => f.write_str(path),
            Self::Resource(target) => {
                write!(f, "{} {}/{}", target.gvr.group_resource(), target.namespace, target.name)?;
                if target.subresource.is_empty() { Ok(()) } else { write!(f, " {}", target.subresource) }
            }
        }
    }
}

impl Default for Accept {
    fn default() -> Self {
        Self { media: Media::Json, form: Form::Object, pretty: false }
    }
}
