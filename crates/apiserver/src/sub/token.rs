//! `serviceaccounts/token`: signs a token for an account, bound to a pod, a Secret or nothing
//! (`pkg/registry/core/serviceaccount/storage/token.go`).

use std::sync::Arc;

use futures::future::BoxFuture;
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use nakhoda_api::field::{Errors, Path};
use nakhoda_api::kinds::authentication::{BoundObjectReference, TokenRequest, TokenRequestStatus};
use nakhoda_api::kinds::core::{Pod, Secret, ServiceAccount};
use nakhoda_api::{GroupKind, GroupResource, GroupVersionKind, Object, Status};
use serde_json::{Value, json};

use super::Handler;
use crate::admission::{Attributes, Operation};
use crate::identity::{Bound, Claims, Issuer, Private};
use crate::request::{Action, Write};
use crate::response::{Answer, Response};
use crate::verb::{Call, body, managed};

const GROUP: &str = "authentication.k8s.io";
const KIND: &str = "TokenRequest";
/// The shortest and the longest life that may be asked for, in seconds.
const SHORTEST: i64 = 600;
const LONGEST: i64 = 1 << 32;
/// The longest life that is given.
const GIVEN: i64 = 365 * 24 * 3600;

/// The handler.
pub struct Token;

impl Handler for Token {
    fn call<'a>(&'a self, call: &'a Call, action: Action) -> BoxFuture<'a, Result<Response, Status>> {
        Box::pin(async move {
            match action {
                Action::Create(write) => create(call, &write).await,
                _ => Err(call.unsupported("token")),
            }
        })
    }
}

async fn create(call: &Call, write: &Write) -> Result<Response, Status> {
    let issuer = call.pipeline.extension::<Arc<Issuer>>();
    let issuer = issuer.ok_or_else(|| Status::failure(500, nakhoda_api::Reason::InternalError, "this server has no key to sign tokens with"))?;
    let gvk = GroupVersionKind::new(GROUP, "v1", KIND);
    let given = body::read(&write.body, &gvk, write.options.validation)?;
    // The account or the pod may have been written a moment ago.
    call.cache().fresh().await.map_err(|e| Status::internal(&e))?;
    let mut object = given.object.clone();
    let attributes = Attributes { call, operation: Operation::Create, old: None, dry_run: write.options.dry_run };
    call.pipeline.admission().mutate(&attributes, &mut object).await?;
    let mut request: TokenRequest = object.typed().map_err(|e| Status::bad_request(e.to_string()))?;
    let account = of_account(call, &mut request)?;
    let spec = request.spec.get_or_insert_default();
    let seconds = *spec.expiration_seconds.get_or_insert(3600);
    // whoever names none, by an empty list too, means this server
    let named = spec.audiences.take().filter(|audiences| !audiences.is_empty());
    let audiences = spec.audiences.insert(named.unwrap_or_else(|| issuer.audiences.clone())).clone();
    check(seconds)?;
    let bound = spec.bound_object_ref.clone();
    let asked = asked(given.object.at(&["spec"]), seconds);
    let checked = Object::from_typed(&request).map_err(|e| Status::internal(&e))?;
    call.pipeline.admission().validate(&attributes, Some(&checked)).await?;
    let private = subject(call, account, bound.as_ref())?;
    let now = call.now.as_second();
    let claims = Claims::new(&issuer.url, audiences, private, now, seconds.min(GIVEN));
    let expires = Timestamp::from_second(now).unwrap_or(call.now) + SignedDuration::from_secs(seconds.min(GIVEN));
    request.status = Some(TokenRequestStatus { expiration_timestamp: Some(Time(expires)), token: Some(issuer.sign(&claims)) });
    let mut object = Object::from_typed(&request).map_err(|e| Status::internal(&e))?;
    if bound.is_none() {
        object.set_at(&["spec", "boundObjectRef"], serde_json::Value::Null);
    }
    let managers = managed::once(call, &write.options, "authentication.k8s.io/v1", json!({ "f:spec": owned(&asked) }));
    managed::put(&mut object, Some(managers));
    let answer = Answer::Object { kind: None, object: Box::new(object), created: true };
    Ok(Response { answer, warnings: given.warnings })
}

/// The account that the URL names. What the request says of it must fit, and is filled in.
fn of_account(call: &Call, request: &mut TokenRequest) -> Result<ServiceAccount, Status> {
    let target = &call.target;
    let given = &mut request.metadata;
    let mut errors = Errors::default();
    for (field, said, wanted, what) in [
        ("name", &given.name, &target.name, "must match the service account name if specified"),
        ("namespace", &given.namespace, &target.namespace, "must match the service account namespace if specified"),
    ] {
        if let Some(said) = said.as_ref().filter(|said| !said.is_empty() && *said != wanted) {
            errors.invalid(&Path::new("metadata").child(field), said.as_str(), what);
            return Err(Status::invalid(&group_kind(), &target.name, &errors));
        }
    }
    let account = call.pipeline.storage().get::<ServiceAccount>(&target.namespace, &target.name);
    let account = account.ok_or_else(|| call.not_found())?;
    let uid = account.metadata.uid.clone().unwrap_or_default();
    if let Some(said) = given.uid.as_ref().filter(|said| !said.is_empty() && **said != uid) {
        let why = format!("the UID in the token request ({said}) does not match the UID of the service account ({uid})");
        return Err(Status::conflict(&GroupResource::new(GROUP, KIND), &target.name, &why));
    }
    given.name = Some(target.name.clone());
    given.namespace = Some(target.namespace.clone());
    given.uid = Some(uid);
    given.creation_timestamp = Some(Time(call.now));
    request.status = None;
    Ok(account)
}

fn group_kind() -> GroupKind {
    GroupKind { group: GROUP.into(), kind: KIND.into() }
}

/// What the client said, and the default that was filled in for it: all that it owns.
fn asked(spec: Option<&Value>, seconds: i64) -> Value {
    let mut spec = spec.and_then(Value::as_object).cloned().unwrap_or_default();
    spec.insert("expirationSeconds".into(), seconds.into());
    Value::Object(spec)
}

/// The fields of a value as FieldsV1 writes them.
fn owned(value: &Value) -> Value {
    let fields = value.as_object().into_iter().flatten().filter(|(_, value)| !value.is_null());
    Value::Object(fields.map(|(name, value)| (format!("f:{name}"), owned(value))).collect())
}

fn check(seconds: i64) -> Result<(), Status> {
    let mut errors = Errors::default();
    let path = Path::new("spec").child("expirationSeconds");
    if seconds < SHORTEST {
        errors.invalid(&path, seconds, "may not specify a duration less than 10 minutes");
    }
    if seconds > LONGEST {
        errors.invalid(&path, seconds, "may not specify a duration larger than 2^32 seconds");
    }
    if errors.is_empty() {
        return Ok(());
    }
    Err(Status::invalid(&group_kind(), "", &errors))
}

fn subject(call: &Call, account: ServiceAccount, bound: Option<&BoundObjectReference>) -> Result<Private, Status> {
    let (namespace, name) = (call.target.namespace.as_str(), call.target.name.as_str());
    let storage = call.pipeline.storage();
    let mut private = Private {
        namespace: namespace.into(),
        serviceaccount: Bound { name: name.into(), uid: account.metadata.uid.unwrap_or_default() },
        ..Private::default()
    };
    let Some(bound) = bound else { return Ok(private) };
    let object = bound.name.clone().unwrap_or_default();
    match (bound.api_version.as_deref(), bound.kind.as_deref()) {
        (Some("v1"), Some("Pod")) => {
            let missing = || Status::not_found(&GroupResource::new("", "pods"), &object);
            let pod: Pod = storage.get(namespace, &object).ok_or_else(missing)?;
            bind_to_pod(call, &pod, bound, &mut private)?;
        }
        (Some("v1"), Some("Secret")) => {
            let missing = || Status::not_found(&GroupResource::new("", "secrets"), &object);
            let secret: Secret = storage.get(namespace, &object).ok_or_else(missing)?;
            let uid = secret.metadata.uid.unwrap_or_default();
            same_uid("Secret", &object, bound.uid.as_deref(), &uid)?;
            private.secret = Some(Bound { name: object, uid });
        }
        (version, kind) => {
            let (version, kind) = (version.unwrap_or_default(), kind.unwrap_or_default());
            // as Go prints a kind of the group without a name
            let version = if version.contains('/') { version.to_owned() } else { format!("/{version}") };
            return Err(Status::bad_request(format!("cannot bind token to object of type {version}, Kind={kind}")));
        }
    }
    Ok(private)
}

fn bind_to_pod(call: &Call, pod: &Pod, bound: &BoundObjectReference, private: &mut Private) -> Result<(), Status> {
    let (name, uid) = (pod.metadata.name.clone().unwrap_or_default(), pod.metadata.uid.clone().unwrap_or_default());
    let spec = pod.spec.as_ref();
    if spec.and_then(|s| s.service_account_name.as_deref()) != Some(call.target.name.as_str()) {
        let why = format!("cannot bind token for serviceaccount {:?} to pod running with different serviceaccount name.", call.target.name);
        return Err(Status::bad_request(why));
    }
    same_uid("Pod", &name, bound.uid.as_deref(), &uid)?;
    if let Some(node) = spec.and_then(|s| s.node_name.clone()).filter(|n| !n.is_empty()) {
        let found: Option<nakhoda_api::kinds::core::Node> = call.pipeline.storage().get("", &node);
        let uid = found.and_then(|n| n.metadata.uid).unwrap_or_default();
        private.node = Some(Bound { name: node, uid });
    }
    private.pod = Some(Bound { name, uid });
    Ok(())
}

fn same_uid(kind: &str, name: &str, asked: Option<&str>, found: &str) -> Result<(), Status> {
    match asked.filter(|uid| !uid.is_empty() && *uid != found) {
        None => Ok(()),
        Some(asked) => {
            let why = format!("the UID in the bound object reference ({asked}) does not match the UID in record. The object might have been deleted and then recreated");
            Err(Status::conflict(&GroupResource::new("", kind), name, &why))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_caller_owns_what_it_asked_for() {
        let spec = json!({"audiences": ["a"], "boundObjectRef": {"kind": "Pod", "uid": null}});
        let owned = owned(&asked(Some(&spec), 3600));
        let wanted = json!({"f:audiences": {}, "f:boundObjectRef": {"f:kind": {}}, "f:expirationSeconds": {}});
        assert_eq!(owned, wanted);
    }
}
