//! `etcd` of the namespace `kube-system`, which stands for the cluster as its uid does elsewhere: what keeps the
//! objects, for `ctl cluster status` and `ctl etcd`. Ours alone; upstream has no such subresource, and no role but
//! cluster-admin's has it.
//!
//! The parameter `action` is `members` (a JSON list) or `snapshot` (all data, as etcd's own tools restore it).

use bytes::Bytes;
use futures::StreamExt;
use futures::future::BoxFuture;
use nakhoda_api::{GroupResource, Status};
use nakhoda_store::Member;
use serde_json::{Value, json};

use super::Handler;
use crate::request::Action;
use crate::response::{Answer, Response, Streaming};
use crate::verb::{Call, outcome};

/// The namespace that stands for the cluster.
const CLUSTER: &str = "kube-system";

/// Speaks of the store.
pub struct Etcd;

// === impl Etcd ===

impl Handler for Etcd {
    fn call<'a>(&'a self, call: &'a Call, action: Action) -> BoxFuture<'a, Result<Response, Status>> {
        Box::pin(async move {
            let Action::Connect(connect) = action else { return Err(call.unsupported("etcd")) };
            let name = call.target.name.as_str();
            if name != CLUSTER {
                return Err(Status::not_found(&GroupResource::new("", "namespaces/etcd"), name));
            }
            let store = call.pipeline.storage().store();
            let failed = |error| outcome::status(call, name, &error);
            let read: futures::stream::BoxStream<'static, Result<Bytes, Status>> = match connect.get("action") {
                "members" => {
                    let members = store.members().await.map_err(failed)?;
                    let list = json!({"members": members.iter().map(member).collect::<Vec<_>>()});
                    Box::pin(futures::stream::once(std::future::ready(Ok(Bytes::from(list.to_string())))))
                }
                "snapshot" => {
                    let pieces = store.snapshot().await.map_err(failed)?;
                    Box::pin(pieces.map(|piece| piece.map_err(|error| Status::unavailable(error.to_string(), 1))))
                }
                _ => return Err(Status::bad_request("action must be members or snapshot")),
            };
            Ok(Response::new(Answer::Stream(Streaming::Read(read))))
        })
    }
}

fn member(member: &Member) -> Value {
    let mut told = json!({"name": member.name, "addresses": member.addresses});
    match &member.state {
        Ok(state) => {
            told["leads"] = state.leads.into();
            told["version"] = state.version.as_str().into();
            told["size"] = state.size.into();
            told["revision"] = state.revision.into();
        }
        Err(error) => told["error"] = nakhoda_api::status::chain(error).into(),
    }
    told
}

#[cfg(test)]
mod tests {
    use nakhoda_store::{Error, MemberState};

    use super::*;

    #[test]
    fn a_member_that_does_not_answer_is_listed_with_its_fault() {
        let state = MemberState { leads: true, version: "3.4.30".into(), size: 7, revision: 9 };
        let told = |state| member(&Member { name: "one".into(), addresses: vec!["https://a:2379".into()], state });
        assert_eq!(told(Ok(state))["leads"], true);
        assert_eq!(told(Err(Error::TimedOut))["error"], "the store did not answer in time");
    }
}
