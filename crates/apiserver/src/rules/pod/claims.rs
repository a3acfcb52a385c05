//! Claims to devices: which a pod has, and which of them its containers use.

use nakhoda_api::field::{Errors, Path};
use nakhoda_api::kinds::core::{PodResourceClaim, PodSpec, ResourceClaim};

use crate::rules::check::{label, list, subdomain, text};

/// `resourceClaims` of a pod or a template.
pub fn of_pod(errors: &mut Errors, path: &Path, claims: &[PodResourceClaim]) {
    for (i, claim) in claims.iter().enumerate() {
        let at = path.index(i);
        let name = at.child("name");
        if claim.name.is_empty() {
            errors.required(&name, "");
        } else if claims[..i].iter().any(|other| other.name == claim.name) {
            errors.duplicate(&name, claim.name.as_str());
        } else {
            label(errors, &name, &claim.name);
        }
        let shown = || serde_json::to_value(claim).unwrap_or_default();
        match (&claim.resource_claim_name, &claim.resource_claim_template_name) {
            (Some(_), Some(_)) => {
                let why = "at most one of `resourceClaimName` or `resourceClaimTemplateName` may be specified";
                errors.invalid(&at, shown(), why);
            }
            (None, None) => {
                errors.invalid(&at, shown(), "must specify one of: `resourceClaimName`, `resourceClaimTemplateName`");
            }
            _ => {}
        }
        let named = [
            ("resourceClaimName", &claim.resource_claim_name),
            ("resourceClaimTemplateName", &claim.resource_claim_template_name),
        ];
        for (field, name) in named.into_iter().filter_map(|(field, name)| Some((field, name.as_ref()?))) {
            subdomain(errors, &at.child(field), name);
        }
    }
}

/// `claims` of a container's resources.
pub fn of_container(errors: &mut Errors, path: &Path, claims: &[ResourceClaim], spec: &PodSpec) {
    let mut known: Vec<&str> = list(&spec.resource_claims).iter().map(|c| c.name.as_str()).collect();
    known.retain(|name| !name.is_empty());
    known.sort_unstable();
    known.dedup();
    let pairs: Vec<(&str, &str)> = claims.iter().map(|c| (c.name.as_str(), text(&c.request))).collect();
    for (i, (name, request)) in pairs.iter().copied().enumerate() {
        let at = path.index(i);
        if name.is_empty() {
            errors.required(&at, "");
            continue;
        }
        let before: Vec<&str> = pairs[..i].iter().filter(|(other, _)| *other == name).map(|(_, r)| *r).collect();
        if before.contains(&"") {
            errors.duplicate(&at, name);
        } else if request.is_empty() {
            before.iter().for_each(|_| errors.duplicate(&at, name));
        } else {
            label(errors, &at.child("request"), request);
            if before.contains(&request) {
                errors.duplicate(&at, format!("{name}/{request}"));
            }
        }
        if !known.contains(&name) {
            let all = if known.is_empty() { " which is empty".to_owned() } else { format!(": {}", known.join(", ")) };
            let why = format!("must be one of the names in pod.spec.resourceClaims{all}");
            errors.push(&at, nakhoda_api::field::Fault::NotFound(name.into()), why);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn claims_are_named_once_and_used_by_name() {
        let spec: PodSpec = serde_json::from_value(json!({"containers": [], "resourceClaims": [
            {"name": "a", "resourceClaimName": "x"}, {"name": "a", "resourceClaimTemplateName": "Y"}]}))
        .expect("a spec");
        let mut errors = Errors::default();
        of_pod(&mut errors, &Path::new("c"), list(&spec.resource_claims));
        let used = json!([{"name": "a"}, {"name": "a", "request": "r"}, {"name": "b"}, {"name": ""}]);
        let used: Vec<ResourceClaim> = serde_json::from_value(used).expect("claims");
        of_container(&mut errors, &Path::new("u"), &used, &spec);
        let told = errors.to_string();
        for fault in [
            "c[1].name: Duplicate value: \"a\"",
            "c[1].resourceClaimTemplateName: Invalid value: \"Y\"",
            "u[1]: Duplicate value: \"a\"",
            "u[2]: Not found: \"b\": must be one of the names in pod.spec.resourceClaims: a",
            "u[3]: Required value",
        ] {
            assert!(told.contains(fault), "{fault}: {told}");
        }
    }
}
