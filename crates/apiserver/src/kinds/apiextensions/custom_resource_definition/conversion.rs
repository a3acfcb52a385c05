//! How versions are converted into each other.

use nakhoda_api::field::{Errors, Path};
use nakhoda_api::kinds::apiextensions::{CustomResourceConversion, CustomResourceDefinition, WebhookClientConfig};
use nakhoda_api::names::is_dns1035_label;

use crate::rules::check::chosen;
use crate::rules::webhook;

/// Versions of the review that are spoken: upstream asks for one that it spoke before.
const REVIEWS: [&str; 2] = ["v1", "v1beta1"];

pub(super) fn check(
    conversion: Option<&CustomResourceConversion>,
    old: Option<&CustomResourceDefinition>,
    established: bool,
    path: &Path,
    errors: &mut Errors,
) {
    let Some(conversion) = conversion else { return };
    chosen(errors, &path.child("strategy"), &conversion.strategy, &["None", "Webhook"]);
    let (client, reviews) = (path.child("webhookClientConfig"), path.child("conversionReviewVersions"));
    let webhook = conversion.webhook.as_ref();
    let config = webhook.and_then(|webhook| webhook.client_config.as_ref());
    let versions = webhook.map(|webhook| webhook.conversion_review_versions.as_slice()).unwrap_or_default();
    if conversion.strategy != "Webhook" {
        let why = "should not be set when strategy is not set to Webhook";
        if config.is_some() {
            errors.forbidden(&client, why);
        }
        if !versions.is_empty() {
            errors.forbidden(&reviews, why);
        }
        return;
    }
    match config {
        None => errors.required(&client, "required when strategy is set to Webhook"),
        Some(config) => check_client(config, established && was_valid(old), &client, errors),
    }
    check_reviews(versions, &reviews, errors);
}

/// Whether the certificates that were there could be read, so that the new ones must be readable too.
fn was_valid(old: Option<&CustomResourceDefinition>) -> bool {
    let webhook = old.and_then(|old| old.spec.conversion.as_ref()?.webhook.as_ref());
    let bundle = webhook.and_then(|webhook| webhook.client_config.as_ref()?.ca_bundle.as_ref());
    bundle.is_none_or(|bundle| webhook::is_bundle(&bundle.0))
}

fn check_client(config: &WebhookClientConfig, strict: bool, path: &Path, errors: &mut Errors) {
    match (&config.url, &config.service) {
        (Some(url), None) => webhook::url(url, &path.child("url"), errors),
        (None, Some(service)) => webhook::service(
            &webhook::Service {
                name: &service.name,
                namespace: &service.namespace,
                path: service.path.as_deref(),
                port: service.port.unwrap_or(443),
            },
            &path.child("service"),
            errors,
        ),
        _ => errors.required(path, "exactly one of url or service is required"),
    }
    if let Some(bundle) = config.ca_bundle.as_ref().filter(|bundle| strict && !bundle.0.is_empty()) {
        webhook::bundle(&bundle.0, &path.child("caBundle"), errors);
    }
}

fn check_reviews(versions: &[String], path: &Path, errors: &mut Errors) {
    if versions.is_empty() {
        return errors.required(path, "");
    }
    for (index, version) in versions.iter().enumerate() {
        if versions[..index].contains(version) {
            errors.invalid(&path.index(index), version.as_str(), "duplicate version");
            continue;
        }
        for fault in is_dns1035_label(version) {
            errors.invalid(&path.index(index), version.as_str(), fault);
        }
    }
    if !versions.iter().any(|version| REVIEWS.contains(&version.as_str())) {
        errors.invalid(path, versions.to_vec(), format!("must include at least one of {}", REVIEWS.join(", ")));
    }
}
