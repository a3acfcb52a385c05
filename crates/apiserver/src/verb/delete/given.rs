//! DeleteOptions as they came.

use nakhoda_api::field::{Errors, Path};
use nakhoda_api::kinds::meta::DeleteOptions;
#[cfg(test)]
use nakhoda_api::wire::Media;
use nakhoda_api::wire::{self, DecodeError};
use nakhoda_api::{GroupKind, GroupVersionKind, Status};

use crate::request::{Body, Deletion};
use crate::verb::body;

const POLICIES: [&str; 4] = ["Foreground", "Background", "Orphan", "nil"];

/// The options of a deletion; empty ones if it has no body.
pub(super) fn options(deletion: &Deletion) -> Result<DeleteOptions, Status> {
    let Some(body) = &deletion.body else { return Ok(DeleteOptions::default()) };
    let options = read(body)?;
    check(&options)?;
    Ok(options)
}

fn read(body: &Body) -> Result<DeleteOptions, Status> {
    let object = match body {
        Body::Object(object) => (**object).clone(),
        Body::Bytes { bytes, .. } if bytes.is_empty() => return Ok(DeleteOptions::default()),
        Body::Bytes { media, bytes } => {
            // the options exist in every group version, and a client may name any of them
            let gvk = GroupVersionKind::new("", "v1", "DeleteOptions");
            wire::decode(*media, bytes, Some(&gvk)).map_err(|error| Status::bad_request(told(&error)))?.object
        }
    };
    let gvk = object.gvk().unwrap_or_default();
    if gvk.kind != "DeleteOptions" {
        return Err(Status::bad_request(body::unregistered(&gvk)));
    }
    object.typed().map_err(|error| Status::bad_request(nakhoda_api::status::chain(&error)))
}

/// Upstream says no more than its decoder, since it does not know yet what it reads.
fn told(error: &DecodeError) -> String {
    match error {
        DecodeError::Syntax(_) => format!("couldn't get version/kind; json parse error: {error}"),
        _ => error.to_string(),
    }
}

fn check(options: &DeleteOptions) -> Result<(), Status> {
    let mut errors = Errors::default();
    let path = Path::new("propagationPolicy");
    if let Some(policy) = &options.propagation_policy {
        if options.orphan_dependents.is_some() {
            errors.invalid(&path, policy.as_str(), "orphanDependents and deletionPropagation cannot be both set");
        }
        if !POLICIES[..3].contains(&policy.as_str()) {
            errors.not_supported(&path, policy.as_str(), &POLICIES);
        }
    }
    let dry_run = options.dry_run.clone().unwrap_or_default();
    if !dry_run.is_empty() && dry_run.iter().any(|value| value != "All") {
        errors.not_supported(&Path::new("dryRun"), dry_run, &["All"]);
    }
    if errors.is_empty() {
        return Ok(());
    }
    let kind = GroupKind { group: "meta.k8s.io".into(), kind: "DeleteOptions".into() };
    Err(Status::invalid(&kind, "", &errors))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_deletion_is_told_in_the_words_of_upstreams_decoder() {
        for (body, told) in [
            (
                "{nope}",
                "couldn't get version/kind; json parse error: invalid character 'n' looking for beginning of object key string",
            ),
            (
                r#"{"kind":"Pod","apiVersion":"v1"}"#,
                "no kind \"Pod\" is registered for version \"v1\" in scheme \"pkg/runtime/scheme.go:111\"",
            ),
            (
                r#"{"gracePeriodSeconds":"x"}"#,
                "json: cannot unmarshal string into Go struct field DeleteOptions.gracePeriodSeconds of type int64",
            ),
            (r#"{"apiVersion":"x/y/z"}"#, "unexpected GroupVersion string: x/y/z"),
            (
                r#"{"dryRun":["Some"]}"#,
                "DeleteOptions.meta.k8s.io \"\" is invalid: dryRun: Unsupported value: [\"Some\"]: supported values: \"All\"",
            ),
        ] {
            let body = Body::Bytes { media: Media::Json, bytes: body.to_owned().into() };
            let deletion = Deletion { body: Some(body), options: crate::request::WriteOptions::default() };
            assert_eq!(options(&deletion).expect_err("no options").message, told);
        }
        let named =
            Body::Bytes { media: Media::Json, bytes: r#"{"kind":"DeleteOptions","apiVersion":"apps/v9"}"#.into() };
        assert!(read(&named).is_ok());
    }
}
