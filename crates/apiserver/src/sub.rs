//! Subresources, and the kinds that are answered without being stored (reviews): handlers for what the
//! nine verbs do not do by themselves. A handler is one file and one line here; its name is that of the
//! subresource, or the plural of the virtual kind.

use futures::future::BoxFuture;
use nakhoda_api::Status;

use crate::request::Action;
use crate::response::Response;
use crate::verb::Call;

pub mod access;
pub mod review;

/// Answers one subresource of every kind that lists it, or one virtual kind.
pub trait Handler: Send + Sync {
    /// The answer. The verb was checked against what the kind lists.
    fn call<'a>(&'a self, call: &'a Call, action: Action) -> BoxFuture<'a, Result<Response, Status>>;
}

/// Emits the modules and the table: `"name" => file::Type`, or `"one" | "other" => …`.
macro_rules! handlers {
    ($($($name:literal)|+ => $file:ident :: $handler:ident),* $(,)?) => {
        $(pub mod $file;)*
        const HANDLERS: &[(&str, &dyn Handler)] = &[$($(($name, &$file::$handler)),+),*];
    };
}

handlers! {
    "approval" => approval::Approval,
    "archives" => archives::Archives,
    "attach" => attach::Attach,
    "binding" => binding::Binding,
    "bindings" => bindings::Bindings,
    "ephemeralcontainers" | "resize" => part::Part,
    "componentstatuses" => component_statuses::ComponentStatuses,
    "etcd" => etcd::Etcd,
    "eviction" => eviction::Eviction,
    "exec" => exec::Exec,
    "finalize" => finalize::Finalize,
    "images" => images::Images,
    "log" => log::Log,
    "nodes" => node_metrics::NodeUsage,
    "pods" => pod_metrics::PodUsage,
    "portforward" => portforward::PortForward,
    "proxy" => proxy::Proxy,
    "localsubjectaccessreviews" => local_subject_access_review::LocalSubjectAccess,
    "scale" => scale::Scale,
    "selfsubjectaccessreviews" => self_subject_access_review::SelfSubjectAccess,
    "selfsubjectreviews" => self_subject_review::SelfSubjectReviews,
    "selfsubjectrulesreviews" => rules_review::SelfSubjectRules,
    "status" => status::StatusWrite,
    "subjectaccessreviews" => subject_access_review::SubjectAccess,
    "token" => token::Token,
    "tokenreviews" => token_review::TokenReviews,
}

/// The handler of a name.
#[must_use]
pub fn find(name: &str) -> Option<&'static dyn Handler> {
    HANDLERS.iter().find(|(n, _)| *n == name).map(|(_, handler)| *handler)
}
