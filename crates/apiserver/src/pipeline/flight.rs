//! Bounds on the requests that run at a time: reads and writes apart, as upstream's
//! `--max-requests-inflight` and `--max-mutating-requests-inflight`.

use std::sync::Arc;

use nakhoda_api::Status;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::request::Request;
use crate::user::MASTERS;

/// How many requests run at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Reads.
    pub reads: usize,
    /// Writes.
    pub writes: usize,
}

/// The places that are left.
pub(crate) struct Flight {
    reads: Arc<Semaphore>,
    writes: Arc<Semaphore>,
}

// === impl Limits ===

impl Default for Limits {
    fn default() -> Self {
        Self { reads: 400, writes: 200 }
    }
}

// === impl Flight ===

impl Flight {
    pub(crate) fn new(limits: Limits) -> Self {
        Self { reads: Arc::new(Semaphore::new(limits.reads)), writes: Arc::new(Semaphore::new(limits.writes)) }
    }

    /// A place for a request, held until it is answered. This process's own requests always get one:
    /// a client's request may be waiting for them.
    pub(crate) fn enter(&self, request: &Request) -> Result<Option<OwnedSemaphorePermit>, Status> {
        if request.caller.user.as_ref().is_some_and(|user| user.is_in(MASTERS)) {
            return Ok(None);
        }
        let places = if request.is_write() { &self.writes } else { &self.reads };
        let place = places.clone().try_acquire_owned();
        place.map(Some).map_err(|_| Status::too_many_requests("Too many requests, please try again later.", 1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::{Accept, Action, Caller, ResourceTarget, Target};
    use crate::user::User;

    fn request(user: Option<User>) -> Request {
        let action = Action::Get { resource_version: String::new() };
        let caller = Caller { user, ..Caller::default() };
        Request { target: Target::Resource(ResourceTarget::default()), action, caller, accept: Accept::default() }
    }

    #[test]
    fn one_too_many_is_told_when_to_come_again() {
        let flight = Flight::new(Limits { reads: 1, writes: 1 });
        let held = flight.enter(&request(None)).expect("a place");
        let refused = flight.enter(&request(None)).expect_err("none is left");
        assert_eq!((refused.code, refused.retry_after()), (429, Some(1)));
        drop(held);
        flight.enter(&request(None)).expect("a place again");
    }

    #[test]
    fn this_process_never_waits_for_a_place() {
        let flight = Flight::new(Limits { reads: 0, writes: 0 });
        assert!(flight.enter(&request(Some(User::system()))).is_ok_and(|place| place.is_none()));
    }
}
