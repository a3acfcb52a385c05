//! LIST: consistent, from the cache as it is, not older than a revision, at exactly a revision, and page
//! by page at one revision.

use nakhoda_api::field::{Errors, Path};
use nakhoda_api::{GroupKind, Status};
use nakhoda_store::Error;
use nakhoda_store::cache::{Filter, Snapshot};

use super::token::Token;
use super::{Call, gate, get, outcome, selection};
use crate::request::ListOptions;
use crate::response::{Answer, Response};

/// The collection, or a page of it.
pub async fn list(call: &Call, options: &ListOptions) -> Result<Response, Status> {
    check(options)?;
    let (mut filter, late) = selection::filter(call, options)?;
    let token = if options.continue_token.is_empty() { None } else { Some(Token::decode(&options.continue_token)?) };
    if token.is_some() && !matches!(options.resource_version.as_str(), "" | "0") {
        return Err(Status::bad_request("specifying resource version is not allowed when using continue"));
    }
    let snapshot = snapshot(call, options, token.as_ref()).await?;
    complete(call)?;
    if let Some(fields) = late {
        gate::narrow(call, &mut filter, fields, &snapshot).await?;
    }
    Ok(Response::new(page(call, options, &filter, &snapshot, token.as_ref())))
}

/// A list that lacks what cannot be read would be a lie.
fn complete(call: &Call) -> Result<(), Status> {
    let from = if call.namespace().is_empty() { String::new() } else { format!("{}/", call.namespace()) };
    let Some((key, why)) = call.cache().unreadable(&from) else { return Ok(()) };
    let prefix = String::from_utf8_lossy(call.cache().prefix()).into_owned();
    let why = format!("unable to transform key \"{prefix}{key}\": {why}");
    Err(outcome::status(call, "", &Error::Unreadable { why: why.into() }))
}

fn page(call: &Call, options: &ListOptions, filter: &Filter, snapshot: &Snapshot, token: Option<&Token>) -> Answer {
    let after = token.map(|token| token.start.trim_end_matches('\0'));
    let limit = usize::try_from(options.limit).unwrap_or(0);
    let page = snapshot.page(filter, after, limit);
    let next = page.next.as_ref().map(|last| {
        call.cache().keep(snapshot);
        Token { revision: Some(snapshot.revision()), start: format!("{last}\0") }.encode()
    });
    Answer::List {
        kind: call.kind.clone(),
        items: page.items,
        revision: snapshot.revision(),
        continue_token: next.unwrap_or_default(),
        remaining: page.remaining.and_then(|n| i64::try_from(n).ok()),
    }
}

async fn snapshot(call: &Call, options: &ListOptions, token: Option<&Token>) -> Result<Snapshot, Status> {
    let failed = |error: Error| outcome::status(call, "", &error);
    match token {
        Some(Token { revision: None, .. }) => return call.cache().fresh().await.map_err(failed),
        Some(token @ Token { revision: Some(revision), .. }) => {
            return call.cache().at(*revision).await.map_err(|error| match error {
                Error::Compacted { .. } => token.expired(),
                error => failed(error),
            });
        }
        None => {}
    }
    let version = options.resource_version.as_str();
    let revision = outcome::revision(version)
        .map_err(|fault| Status::bad_request(format!("invalid resource version: {}", fault.message)))?;
    if options.resource_version_match == "Exact" {
        return call.cache().at(revision).await.map_err(failed);
    }
    get::snapshot(call, version).await
}

fn check(options: &ListOptions) -> Result<(), Status> {
    let mut errors = Errors::default();
    let path = Path::new("resourceVersionMatch");
    let rule = options.resource_version_match.as_str();
    if rule.is_empty() {
        return Ok(());
    }
    if options.resource_version.is_empty() {
        errors.forbidden(&path, "resourceVersionMatch is forbidden unless resourceVersion is provided");
    }
    if !options.continue_token.is_empty() {
        errors.forbidden(&path, "resourceVersionMatch is forbidden when continue is provided");
    }
    if rule != "Exact" && rule != "NotOlderThan" {
        errors.not_supported(&path, rule, &["Exact", "NotOlderThan", ""]);
    }
    if rule == "Exact" && options.resource_version == "0" {
        errors.forbidden(&path, "resourceVersionMatch \"exact\" is forbidden for resourceVersion \"0\"");
    }
    invalid(&errors)
}

/// 422 about list options, if there are faults.
pub fn invalid(errors: &Errors) -> Result<(), Status> {
    let kind = GroupKind { group: "meta.k8s.io".into(), kind: "ListOptions".into() };
    if errors.is_empty() { Ok(()) } else { Err(Status::invalid(&kind, "", errors)) }
}
