//! Resources of a rule, with subresources and wildcards.

use nakhoda_api::field::{Errors, Path};

pub(super) fn check(errors: &mut Errors, path: &Path, resources: &[String]) {
    if resources.is_empty() {
        errors.required(path, "");
    }
    let (mut all_of, mut in_all) = (Vec::new(), Vec::new());
    let mut whole = false;
    for (i, one) in resources.iter().enumerate() {
        let at = path.index(i);
        if one.is_empty() {
            errors.required(&at, "");
            continue;
        }
        let Some((resource, sub)) = one.split_once('/') else {
            whole = one != "*";
            continue;
        };
        if all_of.contains(&resource) {
            errors.invalid(&at, one.as_str(), format!("if '{resource}/*' is present, must not specify {one}"));
        }
        if in_all.contains(&sub) {
            errors.invalid(&at, one.as_str(), format!("if '*/{sub}' is present, must not specify {one}"));
        }
        if sub == "*" {
            all_of.push(resource);
        }
        if resource == "*" {
            in_all.push(sub);
        }
    }
    let has = |wanted: &str| resources.iter().any(|one| one == wanted);
    if resources.len() > 1 && has("*/*") {
        errors.invalid(path, resources.to_vec(), "if '*/*' is present, must not specify other resources");
    }
    if has("*") && whole {
        let why = "if '*' is present, must not specify other resources without subresources";
        errors.invalid(path, resources.to_vec(), why);
    }
}
