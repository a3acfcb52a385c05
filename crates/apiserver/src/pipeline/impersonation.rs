//! Acting as somebody else, for those who may (`k8s.io/apiserver/pkg/endpoints/filters/impersonation`). The modes
//! that are bound to what is done (KEP 5284) are tried before the old one, which is not.

use nakhoda_api::Status;

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

/// The other user, if one of the modes lets the real caller act as him in this request. If none does, the answer is
/// the first one's.
pub(crate) async fn assume(pipeline: &Pipeline, request: &Attributes, other: &User) -> Result<Assumed, Status> {
    let mut first = None;
    for mode in MODES.iter().filter(|mode| mode.suits(other, &request.user)) {
        match allowed(pipeline, *mode, request, other).await {
            Ok(()) => return Ok(Assumed { user: complete(*mode, other), constraint: mode.constraint() }),
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
