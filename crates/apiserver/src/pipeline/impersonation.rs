//! Acting as somebody else, for those who may (`k8s.io/apiserver/pkg/endpoints/filters/impersonation`). The modes
//! that are bound to what is done (KEP 5284) are tried before the old one, which is not.

use std::collections::HashMap;

use nakhoda_api::Status;
use parking_lot::Mutex;

use super::Pipeline;
use super::denial;
use crate::authz::Attributes;
use crate::user::{ANONYMOUS, AUTHENTICATED, UNAUTHENTICATED, User};

mod modes;

use modes::{Check, MODES, Mode};

/// Another user, and by which mode he may be acted as.
#[derive(Debug)]
pub(crate) struct Assumed {
    pub(crate) user: User,
    /// The verb of the mode; empty for the old one.
    pub(crate) constraint: String,
}

/// The mode that was last good for each caller: it is tried first (upstream's `modeIndexCache`).
#[derive(Default)]
pub(crate) struct Remembered(Mutex<HashMap<String, Mode>>);

/// Of so many callers it is remembered.
const REMEMBERED: usize = 10_000;

// === impl Remembered ===

impl Remembered {
    /// All modes in the order in which they are tried for a caller.
    fn order(&self, caller: &str) -> Vec<Mode> {
        let first = self.0.lock().get(caller).copied();
        first.into_iter().chain(MODES.into_iter().filter(|mode| Some(*mode) != first)).collect()
    }

    fn set(&self, caller: &str, mode: Mode) {
        let mut known = self.0.lock();
        if known.get(caller) == Some(&mode) {
            return;
        }
        if known.len() >= REMEMBERED {
            known.clear();
        }
        known.insert(caller.to_owned(), mode);
    }
}

/// The other user, if one of the modes lets the real caller act as him in this request. If none does, the answer is
/// the first one's.
pub(crate) async fn assume(pipeline: &Pipeline, request: &Attributes, other: &User) -> Result<Assumed, Status> {
    let mut first = None;
    let (remembered, caller) = (pipeline.impersonations(), request.user.name.as_str());
    for mode in remembered.order(caller).into_iter().filter(|mode| mode.suits(other, &request.user)) {
        match allowed(pipeline, mode, request, other).await {
            Ok(()) => {
                remembered.set(caller, mode);
                return Ok(Assumed { user: complete(mode, other), constraint: mode.constraint() });
            }
            Err(status) => {
                first.get_or_insert(status);
            }
        }
    }
    Err(first.unwrap_or_else(Status::unauthorized))
}

async fn allowed(pipeline: &Pipeline, mode: Mode, request: &Attributes, other: &User) -> Result<(), Status> {
    for check in modes::checks(mode, request, other) {
        match check {
            Check::One(question) => pipeline.authorize(&question).await?,
            Check::Many { all, each } => {
                if pipeline.ask(&all).await.is_allowed() {
                    continue;
                }
                for question in each {
                    pipeline.authorize(&question).await?;
                }
            }
            Check::Never(question, why) => return Err(denial::status(&question, &why)),
        }
    }
    Ok(())
}

/// With what authentication would have added.
fn complete(mode: Mode, other: &User) -> User {
    let mut user = other.clone();
    if user.groups.is_empty()
        && let Some((namespace, _)) = modes::service_account(&user.name)
    {
        user.groups = vec!["system:serviceaccounts".into(), format!("system:serviceaccounts:{namespace}")];
    }
    if mode != Mode::Legacy && modes::node(&user.name).is_some() {
        user.groups = vec!["system:nodes".into()];
    }
    let group = if user.name == ANONYMOUS { UNAUTHENTICATED } else { AUTHENTICATED };
    if !user.is_in(group) && !user.is_in(UNAUTHENTICATED) {
        user.groups.push(group.into());
    }
    user
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mode_that_was_good_last_is_tried_first() {
        let remembered = Remembered::default();
        assert_eq!(remembered.order("jane"), MODES);
        remembered.set("jane", Mode::Legacy);
        assert_eq!((remembered.order("jane")[0], remembered.order("jane").len()), (Mode::Legacy, MODES.len()));
        assert_eq!(remembered.order("joe"), MODES);
    }
}
