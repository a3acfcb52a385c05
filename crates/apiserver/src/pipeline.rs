//! The one road that every request takes, whichever front it came through:
//! trace → deadline → authenticate → audit → impersonate → priority and fairness → authorize → verb.

use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use nakhoda_api::Status;
use nakhoda_daemon::metrics::Metrics;
use parking_lot::Mutex;
use tracing::Instrument;

use crate::alloc::Allocators;
use crate::audit::{self, Auditor};
use crate::authz::{Attributes, Authorizer, Decision};
use crate::kinds::Kinds;
use crate::request::{Action, Caller, Request, ResourceTarget, Target};
use crate::response::{Answer, Response};
use crate::storage::Storage;
use crate::user::User;
use crate::verb::{self, Call};
use crate::{admission, authn, authz, quota};

mod denial;
pub mod flow;
mod impersonation;
mod meter;

/// Upstream's `--request-timeout`: nothing that is not a stream takes longer.
const DEADLINE: Duration = Duration::from_secs(60);

/// What the pipeline is made of.
pub struct Parts {
    /// The kinds that are served.
    pub kinds: Kinds,
    /// Where they are kept.
    pub storage: Storage,
    /// Who a caller is.
    pub authn: authn::Union,
    /// What a caller may.
    pub authz: authz::Union,
    /// What becomes of an object before it is stored.
    pub admission: admission::Chain,
    /// The addresses and ports that Services are given.
    pub allocators: Allocators,
    /// How many seats there are for requests that run at a time.
    pub seats: usize,
    /// Where requests are counted.
    pub metrics: Metrics,
    /// Facts that handlers of subresources need, by type: see [`Pipeline::extension`].
    pub extensions: http::Extensions,
}

/// The pipeline. Cheap to clone.
#[derive(Clone)]
pub struct Pipeline {
    inner: Arc<Inner>,
}

struct Inner {
    parts: Parts,
    flow: flow::Flow,
    meter: meter::Meter,
    fences: Mutex<verb::fence::Fences>,
    books: quota::Books,
    impersonations: impersonation::Remembered,
}

// === impl Pipeline ===

impl Pipeline {
    /// Puts the parts together.
    #[must_use]
    pub fn new(parts: Parts) -> Self {
        let flow = flow::Flow::new(parts.seats, &parts.metrics);
        let meter = meter::Meter::new(&parts.metrics);
        let inner = Inner {
            parts,
            flow,
            meter,
            fences: Mutex::default(),
            books: quota::Books::default(),
            impersonations: impersonation::Remembered::default(),
        };
        Self { inner: Arc::new(inner) }
    }

    /// Answers one request. Every failure is a Status.
    pub async fn call(&self, request: Request) -> Result<Response, Status> {
        let span = tracing::debug_span!("request", verb = request.verb(), target = %request.target);
        let deadline = (!request.is_stream()).then_some(DEADLINE);
        let (mark, begun) = (self.inner.meter.mark(&request, self.kinds()), Instant::now());
        let (trail, is_document) = (request.caller.trail.clone(), matches!(request.target, Target::Path(_)));
        // boxed: the futures of all verbs in one enum are large, and every front would carry them
        let work = Box::pin(self.stages(request).instrument(span));
        let outcome = match deadline {
            None => work.await,
            Some(deadline) => tokio::time::timeout(deadline, work).await.unwrap_or_else(|_| {
                Err(Status::timeout("Timeout: request did not complete within the allotted timeout"))
            }),
        };
        self.inner.meter.record(mark, &outcome, begun.elapsed());
        trail.answered(&outcome, is_document);
        outcome
    }

    async fn stages(&self, request: Request) -> Result<Response, Status> {
        // authenticate: a request made inside the process says itself who it is
        let user = self.identify(&request.caller).await.inspect_err(|status| self.unknown(&request, status))?;
        // audit: by the real caller, whoever he acts as
        self.audit(&request, &user);
        let trail = request.caller.trail.clone();
        let notes = std::mem::take(&mut *request.caller.token.lock());
        notes.annotations.into_iter().for_each(|(key, text)| trail.annotate(key, text));
        // impersonate: the real caller must be allowed to, then the other one is what everything else sees
        let user = self.acting(user, &request.caller, |user| Attributes::of(&request, user)).await?;
        // priority and fairness: a watch holds its place until it is set up, other streams would for hours; this process
        // waits for nobody, a client's request may be waiting for it
        let waits = request.caller.user.is_none() && !matches!(request.action, Action::Connect(_));
        let _place = if waits { self.inner.flow.enter(&request, &user, self.storage()).await? } else { None };
        // authorize
        let attributes = Attributes::of(&request, &user);
        let decision = self.ask(&attributes).await;
        trail.annotate("authorization.k8s.io/decision", if decision.is_allowed() { "allow" } else { "forbid" });
        trail.annotate("authorization.k8s.io/reason", decision.reason());
        refused(&attributes, decision)?;
        // verb
        let mut response = match request.target {
            Target::Path(_) => Response::new(Answer::Status(Box::new(Status::success(None)))),
            Target::Resource(target) => {
                let call = Call::new(self, target, user, &request.caller, request.accept)?;
                verb::answer(&call, request.action).await?
            }
        };
        response.warnings.extend(notes.warnings.into_iter().map(str::to_owned));
        Ok(response)
    }

    /// Who a caller is. Fronts need it for what is theirs alone, such as `/version`.
    pub async fn identify(&self, caller: &Caller) -> Result<User, Status> {
        match &caller.user {
            Some(user) => Ok(user.clone()),
            None => self.inner.parts.authn.identify(caller).await,
        }
    }

    /// As whom a caller acts: himself, or another if he may in what he asks for.
    pub async fn acting(
        &self,
        user: User,
        caller: &Caller,
        asked: impl FnOnce(&User) -> Attributes + Send,
    ) -> Result<User, Status> {
        let Some(other) = &caller.impersonate else { return Ok(user) };
        let assumed = impersonation::assume(self, &asked(&user), other).await?;
        caller.trail.impersonated(&assumed.user, assumed.constraint);
        Ok(assumed.user)
    }

    /// Whether a user may do something; 403 in upstream's words if not.
    pub async fn authorize(&self, attributes: &Attributes) -> Result<(), Status> {
        refused(attributes, self.ask(attributes).await)
    }

    /// Begins to tell of a request, if it comes from outside and there is a policy.
    fn audit(&self, request: &Request, user: &User) {
        let Some(auditor) = self.extension::<Auditor>().filter(|_| request.caller.user.is_none()) else { return };
        let kind = match &request.target {
            Target::Resource(target) => self.kinds().get(&target.gvr),
            Target::Path(_) => None,
        };
        request.caller.trail.begin(auditor, request, user, kind.as_deref());
    }

    /// Tells of a request by nobody who is known.
    fn unknown(&self, request: &Request, status: &Status) {
        if let Some(auditor) = self.extension::<Auditor>() {
            audit::trail::unknown(auditor, request, status);
        }
    }

    /// The authorizers' decision on a question.
    pub async fn ask(&self, attributes: &Attributes) -> Decision {
        self.inner.parts.authz.ask(attributes).await
    }

    /// The authorizers.
    #[must_use]
    pub fn authz(&self) -> &authz::Union {
        &self.inner.parts.authz
    }

    /// The authorizers' decision, for who cannot wait: expressions, and the checks of admission.
    #[must_use]
    pub fn decide(&self, attributes: &Attributes) -> Decision {
        self.inner.parts.authz.authorize(attributes)
    }

    /// The authenticators.
    #[must_use]
    pub fn authn(&self) -> &authn::Union {
        &self.inner.parts.authn
    }

    /// The kinds that are served.
    #[must_use]
    pub fn kinds(&self) -> &Kinds {
        &self.inner.parts.kinds
    }

    /// Where objects are kept.
    #[must_use]
    pub fn storage(&self) -> &Storage {
        &self.inner.parts.storage
    }

    /// The admission chain.
    #[must_use]
    pub fn admission(&self) -> &admission::Chain {
        &self.inner.parts.admission
    }

    /// The allocators.
    #[must_use]
    pub fn allocators(&self) -> &Allocators {
        &self.inner.parts.allocators
    }

    /// Who runs and who waits.
    #[must_use]
    pub fn flow(&self) -> &flow::Flow {
        &self.inner.flow
    }

    /// A part that only some handlers know: the dialler of kubelets, the signer of tokens …
    #[must_use]
    pub fn extension<T: Clone + Send + Sync + 'static>(&self) -> Option<&T> {
        self.inner.parts.extensions.get::<T>()
    }

    /// The clock. The only place where verbs get the time from.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    pub(crate) fn impersonations(&self) -> &impersonation::Remembered {
        &self.inner.impersonations
    }

    pub(crate) fn fences(&self) -> &Mutex<verb::fence::Fences> {
        &self.inner.fences
    }

    /// What this process last wrote of quotas.
    pub(crate) fn books(&self) -> &quota::Books {
        &self.inner.books
    }

    /// A request of this process to itself.
    pub async fn internal(&self, target: ResourceTarget, action: Action) -> Result<Response, Status> {
        self.call(Request::internal(target, action)).await
    }
}

fn refused(attributes: &Attributes, decision: Decision) -> Result<(), Status> {
    match decision {
        Decision::Allow(_) => Ok(()),
        Decision::Deny(reason) | Decision::NoOpinion(reason) => Err(denial::status(attributes, &reason)),
    }
}
