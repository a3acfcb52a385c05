//! What becomes of an object that is to be deleted: a plain function of the object, the options and
//! the clock (`k8s.io/apiserver/pkg/registry/rest/delete.go` and `generic/registry/store.go`).

use jiff::{Timestamp, ToSpan};
use nakhoda_api::kinds::meta::{DeleteOptions, Preconditions};
use nakhoda_api::{GroupResource, Object, Status, time};
use serde_json::Value;

use crate::verb::{Call, meta};

const ORPHAN: &str = "orphan";
const FOREGROUND: &str = "foregroundDeletion";

/// What becomes of the object.
#[derive(Debug)]
pub enum Fate {
    /// It goes now, and looks like this at the end.
    Gone(Box<Object>),
    /// It stays, written like this, until others have done their part.
    Marked(Box<Object>),
    /// It was marked before and nothing changes.
    Pending,
}

/// Decides.
pub fn plan(call: &Call, old: &Object, options: &DeleteOptions) -> Result<Fate, Status> {
    preconditions(call, old, options)?;
    let mut new = old.clone();
    let grace = match graceful(call, &mut new, options)? {
        Graceful::Pending => return Ok(Fate::Pending),
        Graceful::No => None,
        Graceful::Marked(seconds) => Some(seconds),
    };
    let finalizers = finalizers(&new, options, call.kind.info.orphans);
    let pending = !finalizers.is_empty();
    if finalizers != new.finalizers().collect::<Vec<_>>() {
        let list: Vec<Value> = finalizers.into_iter().map(|f| Value::String(f.to_owned())).collect();
        new.set_meta("finalizers", list);
    }
    let lingers = call.kind.strategy.linger(&mut new)?;
    match grace {
        Some(seconds) if seconds > 0 || pending => Ok(Fate::Marked(Box::new(new))),
        None if pending || lingers => {
            mark_now(&mut new, old, call.now, pending);
            let same = new.root() == old.root();
            Ok(if same { Fate::Pending } else { Fate::Marked(Box::new(new)) })
        }
        _ => Ok(Fate::Gone(Box::new(new))),
    }
}

enum Graceful {
    /// The kind knows no grace, or there is nothing to wait for.
    No,
    /// It was marked with so many seconds.
    Marked(i64),
    /// It is marked already, and not to be hurried.
    Pending,
}

fn graceful(call: &Call, new: &mut Object, options: &DeleteOptions) -> Result<Graceful, Status> {
    let asked = options.grace_period_seconds.map(|seconds| if seconds < 0 { 1 } else { seconds });
    let Some(period) = call.kind.strategy.grace(new, asked)? else { return Ok(Graceful::No) };
    if new.is_terminating() {
        return Ok(shorten(new, asked, call.now));
    }
    new.set_meta("deletionTimestamp", time::now_rfc3339(call.now + period.seconds()));
    new.set_meta("deletionGracePeriodSeconds", period);
    if generation(new) > 0 {
        let old = new.clone();
        meta::bump_generation(new, &old);
    }
    Ok(Graceful::Marked(period))
}

/// A grace period that runs can only be made shorter.
fn shorten(new: &mut Object, asked: Option<i64>, now: Timestamp) -> Graceful {
    let running = new.at(&["metadata", "deletionGracePeriodSeconds"]).and_then(Value::as_i64).unwrap_or(0);
    if running == 0 {
        return Graceful::No;
    }
    let Some(mut period) = asked.filter(|asked| *asked < running) else { return Graceful::Pending };
    let ends: Option<Timestamp> = new.meta_str("deletionTimestamp").parse().ok();
    let mut ends = ends.map_or(now, |ends| ends - running.seconds() + period.seconds());
    if ends < now {
        ends = now;
        // the grace asked for is over already, but who asked for grace at all leaves the end to the kubelet
        period = period.min(1);
    }
    new.set_meta("deletionTimestamp", time::now_rfc3339(ends));
    new.set_meta("deletionGracePeriodSeconds", period);
    Graceful::Marked(period)
}

fn mark_now(new: &mut Object, old: &Object, now: Timestamp, pending: bool) {
    if !old.is_terminating() && generation(old) > 0 {
        meta::bump_generation(new, old);
    }
    let ends: Option<Timestamp> = old.meta_str("deletionTimestamp").parse().ok();
    if ends.is_none_or(|ends| ends > now) {
        new.set_meta("deletionTimestamp", time::now_rfc3339(now));
    }
    if pending {
        new.set_meta("deletionGracePeriodSeconds", 0);
    }
}

fn generation(object: &Object) -> i64 {
    object.at(&["metadata", "generation"]).and_then(Value::as_i64).unwrap_or(0)
}

/// The finalizers with those that stand for the propagation policy: the options decide, and what the
/// object says already only if they are silent.
fn finalizers<'a>(object: &'a Object, options: &DeleteOptions, orphans: bool) -> Vec<&'a str> {
    let had = |wanted: &str| object.finalizers().find(|f| *f == ORPHAN || *f == FOREGROUND) == Some(wanted);
    let policy = options.propagation_policy.as_deref();
    let (orphan, foreground) = match (options.orphan_dependents, policy) {
        (Some(orphan), _) => (orphan, false),
        (None, Some(policy)) => (policy == "Orphan", policy == "Foreground"),
        (None, None) => (had(ORPHAN) || orphans && !had(FOREGROUND), had(FOREGROUND)),
    };
    let mut all: Vec<&str> = object.finalizers().filter(|f| *f != ORPHAN && *f != FOREGROUND).collect();
    if orphan {
        all.push(ORPHAN);
    }
    if foreground {
        all.push(FOREGROUND);
    }
    all
}

/// Whether the options are about the object as it is.
pub fn preconditions(call: &Call, old: &Object, options: &DeleteOptions) -> Result<(), Status> {
    let Some(conditions) = &options.preconditions else { return Ok(()) };
    if call.resource() == GroupResource::new("", "namespaces") {
        return of_namespace(call, old, conditions);
    }
    let kind = call.fault_kind();
    let resource = GroupResource::new(kind.group, kind.kind);
    let refuse = |why: String| Err(Status::conflict(&resource, old.name(), &why));
    if let Some(uid) = conditions.uid.as_deref().filter(|uid| *uid != old.uid()) {
        return refuse(format!(
            "the UID in the precondition ({uid}) does not match the UID in record ({}). The object might have been deleted and then recreated",
            old.uid()
        ));
    }
    if let Some(version) = conditions.resource_version.as_deref().filter(|version| *version != old.resource_version()) {
        return refuse(format!(
            "the ResourceVersion in the precondition ({version}) does not match the ResourceVersion in record ({}). The object might have been modified",
            old.resource_version()
        ));
    }
    Ok(())
}

/// The storage of namespaces checks for itself, in words of its own.
fn of_namespace(call: &Call, old: &Object, conditions: &Preconditions) -> Result<(), Status> {
    let (uid, version) = (conditions.uid.as_deref(), conditions.resource_version.as_deref());
    for (what, wanted, is) in [("UID", uid, old.uid()), ("ResourceVersion", version, old.resource_version())] {
        if let Some(wanted) = wanted.filter(|wanted| *wanted != is) {
            let why = format!("Precondition failed: {what} in precondition: {wanted}, {what} in object meta: {is}");
            return Err(Status::conflict(&call.resource(), old.name(), &why));
        }
    }
    Ok(())
}
