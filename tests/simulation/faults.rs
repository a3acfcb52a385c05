//! A road to the store on which requests are refused, meet conflicts, and answers are lost.

use std::sync::Arc;

use futures::future::BoxFuture;
use futures::stream::BoxStream;
use futures::{FutureExt, StreamExt};
use nakhoda_api::{GroupResource, Status};
use nakhoda_client::transport::{Call, Transport};
use nakhoda_client::{Client, Result};
use nakhoda_rpc::v1;
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::run::Run;

/// In a hundred.
const REFUSED: u32 = 5;
const CONFLICTS: u32 = 5;
const LOST: u32 = 3;

struct Faulty {
    run: Run,
    term: CancellationToken,
}

/// A client over such a road. Once its term is over all is refused, as by the fence of a leader.
pub(crate) fn client(run: &Run, term: CancellationToken) -> Client {
    Client::over(Arc::new(Faulty { run: run.clone(), term }))
}

// === impl Faulty ===

impl Transport for Faulty {
    fn call(&self, mut call: Call) -> BoxFuture<'static, Result<v1::Object>> {
        prepare(&mut call);
        let (run, term) = (self.run.clone(), self.term.clone());
        async move {
            run.pause(20).await;
            if term.is_cancelled() || run.fault(REFUSED) {
                return Err(Status::unavailable("refused by the dice", 0).into());
            }
            if let Some(target) = written(&call) {
                let resource = GroupResource::new(target.group.clone(), target.resource.clone());
                if run.fault(CONFLICTS) {
                    return Err(Status::conflict(&resource, &target.name, "the dice say so").into());
                }
                if is_new(&call) && target.resource == "pods" && run.refuses_pod() {
                    return Err(Status::forbidden(&resource, &target.name, "exceeded quota: pods").into());
                }
            }
            let lost = !is_new(&call) && run.fault(LOST);
            let answer = run.memory.call(call).await?;
            if lost { Err(Status::unavailable("lost by the dice", 0).into()) } else { Ok(answer) }
        }
        .boxed()
    }

    fn list(&self, request: v1::ListRequest) -> BoxFuture<'static, Result<Vec<v1::ListChunk>>> {
        self.run.memory.list(request)
    }

    /// What is told arrives a little later.
    fn watch(
        &self,
        request: v1::WatchRequest,
    ) -> BoxFuture<'static, Result<BoxStream<'static, Result<v1::WatchBatch>>>> {
        let run = self.run.clone();
        async move {
            if run.fault(REFUSED) {
                return Err(Status::unavailable("refused by the dice", 0).into());
            }
            let batches = run.memory.watch(request).await?;
            let late = batches.then(move |batch| {
                let run = run.clone();
                async move {
                    run.pause(200).await;
                    batch
                }
            });
            Ok(late.boxed())
        }
        .boxed()
    }

    fn connect(
        &self,
        frames: mpsc::Receiver<v1::ConnectFrame>,
    ) -> BoxFuture<'static, Result<BoxStream<'static, Result<v1::ConnectFrame>>>> {
        self.run.memory.connect(frames)
    }
}

/// What the server does to a new Job: its pods are told apart by a label. Without that a job would let all its pods go.
fn prepare(call: &mut Call) {
    let Call::Create(request) = call else { return };
    let is_job = request.target.as_ref().is_some_and(|t| t.resource == "jobs" && t.subresource.is_empty());
    let Some(object) = request.object.as_mut().filter(|_| is_job) else { return };
    let mut job: Value = serde_json::from_slice(&object.body).expect("controllers send JSON");
    if job["spec"]["selector"].is_null() {
        let name = job["metadata"]["name"].clone();
        job["spec"]["selector"] = json!({"matchLabels": {"batch.kubernetes.io/job-name": name}});
        job["spec"]["template"]["metadata"]["labels"]["batch.kubernetes.io/job-name"] = name;
        object.body = job.to_string().into_bytes().into();
    }
}

/// What a call is to change.
fn written(call: &Call) -> Option<&v1::Target> {
    match call {
        Call::Create(r) => r.target.as_ref(),
        Call::Update(r) => r.target.as_ref(),
        Call::Patch(r) => r.target.as_ref(),
        Call::Delete(r) => r.target.as_ref(),
        _ => None,
    }
}

/// Whether a call makes an object. No answer to that is lost: nobody can tell then whether a pod of a
/// generated name is there, and so upstream's controllers make one too many as well.
fn is_new(call: &Call) -> bool {
    matches!(call, Call::Create(_)) && written(call).is_some_and(|target| target.subresource.is_empty())
}
