//! APIService: who serves a version of a group, this server or one behind a Service (see [`crate::aggregation`]).

use nakhoda_api::Scope;
use nakhoda_api::field::{Errors, Path};
use nakhoda_api::kinds::apiregistration::{APIService, APIServiceSpec};
use nakhoda_api::names;

use crate::kind::{Columns, Cx, Info, Kind, NameRule, STATUS, STATUS_ONLY};
use crate::rules::check::{each, keep_status, required, supported, text};

/// The kind.
pub struct APIServices;

impl Kind for APIServices {
    type Object = APIService;

    fn info() -> Info {
        Info {
            subresources: &[STATUS],
            resets: STATUS_ONLY,
            categories: &["api-extensions"],
            storage: "apiregistration.k8s.io/apiservices",
            names: NameRule::Segment,
            unconditional_update: false,
            ..Info::of::<APIService>("apiservices", "apiservice", Scope::Cluster)
        }
    }

    fn default(service: &mut APIService) {
        if let Some(reference) = service.spec.as_mut().and_then(|spec| spec.service.as_mut()) {
            reference.port.get_or_insert(443);
        }
    }

    fn prepare(cx: &Cx, new: &mut APIService, old: Option<&APIService>) {
        match old {
            None => new.status = None,
            Some(old) => keep_status(cx, &mut new.status, Some(&old.status)),
        }
    }

    fn validate(cx: &Cx, new: &APIService, _: Option<&APIService>, errors: &mut Errors) {
        if cx.subresource == "status" {
            let conditions = new.status.iter().flat_map(|status| status.conditions.iter().flatten());
            for (index, condition) in conditions.enumerate() {
                let path = Path::new("status").child("conditions").index(index).child("status");
                supported(errors, &path, &condition.status, &["True", "False", "Unknown"]);
            }
            return;
        }
        let spec = new.spec.clone().unwrap_or_default();
        let (group, version) = (text(&spec.group), text(&spec.version));
        let (name, wanted) = (text(&new.metadata.name), format!("{version}.{group}"));
        if name != wanted && names::is_path_segment_name(name).is_empty() && !name.is_empty() {
            let why = format!("must be `spec.version+\".\"+spec.group`: {wanted:?}");
            errors.invalid(&Path::new("metadata").child("name"), name, why);
        }
        let path = Path::new("spec");
        if group.is_empty() && version != "v1" {
            let why = "only v1 may have an empty group and it better be legacy kube";
            errors.required(&path.child("group"), why);
        }
        if !group.is_empty() {
            each(errors, &path.child("group"), group, names::is_dns1123_subdomain(group));
        }
        each(errors, &path.child("version"), version, names::is_dns1035_label(version));
        for (field, value, most) in [
            ("groupPriorityMinimum", spec.group_priority_minimum, 20_000),
            ("versionPriority", spec.version_priority, 1000),
        ] {
            if !(1..=most).contains(&value) {
                errors.invalid(&path.child(field), value, format!("must be positive and less than {most}"));
            }
        }
        backend(&spec, &path, errors);
    }

    fn columns() -> Columns<APIService> {
        Columns::<APIService>::named()
            .text("Service", |service, _| {
                let reference = service.spec.as_ref().and_then(|spec| spec.service.as_ref());
                let of = |s: &nakhoda_api::kinds::apiregistration::ServiceReference| {
                    format!("{}/{}", text(&s.namespace), text(&s.name))
                };
                reference.map_or_else(|| "Local".to_owned(), of).into()
            })
            .text("Available", |service, _| {
                let mut conditions = service.status.iter().flat_map(|status| status.conditions.iter().flatten());
                match conditions.find(|condition| condition.type_ == "Available") {
                    None => "Unknown".into(),
                    Some(c) if c.status == "True" || text(&c.reason).is_empty() => c.status.clone().into(),
                    Some(c) => format!("{} ({})", c.status, text(&c.reason)).into(),
                }
            })
            .age()
    }
}

fn backend(spec: &APIServiceSpec, path: &Path, errors: &mut Errors) {
    let bundle = spec.ca_bundle.as_ref().map_or(0, |bundle| bundle.0.len());
    let insecure = spec.insecure_skip_tls_verify == Some(true);
    let Some(service) = &spec.service else {
        if bundle != 0 {
            let why = "local APIServices may not have a caBundle";
            errors.invalid(&path.child("caBundle"), format!("{bundle} bytes"), why);
        }
        if insecure {
            let why = "local APIServices may not have insecureSkipTLSVerify";
            errors.invalid(&path.child("insecureSkipTLSVerify"), true, why);
        }
        return;
    };
    let at = path.child("service");
    required(errors, &at.child("namespace"), text(&service.namespace));
    required(errors, &at.child("name"), text(&service.name));
    let port = service.port.unwrap_or(443);
    let faults = names::is_valid_port_num(port.into());
    if !faults.is_empty() {
        errors.invalid(&at.child("port"), port, format!("port is not valid: {}", faults.join(", ")));
    }
    if insecure && bundle > 0 {
        errors.invalid(&path.child("insecureSkipTLSVerify"), true, "may not be true if caBundle is present");
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::kinds::testing::{create, row};

    #[test]
    fn a_service_is_named_after_what_it_serves() {
        let spec = json!({"group": "e.com", "version": "v1", "groupPriorityMinimum": 100, "versionPriority": 10,
            "service": {"namespace": "n", "name": "s"}});
        assert_eq!(create::<APIServices>(json!({"metadata": {"name": "v1.e.com"}, "spec": spec})), "");
        let told = create::<APIServices>(json!({"metadata": {"name": "x"}, "spec": {"version": "v2", "groupPriorityMinimum": 0, "versionPriority": 1}}));
        assert!(told.contains("metadata.name: Invalid value: \"x\": must be `spec.version+\".\"+spec.group`: \"v2.\""), "{told}");
        assert!(told.contains("spec.group: Required value: only v1 may have an empty group"), "{told}");
        assert!(told.contains("spec.groupPriorityMinimum: Invalid value: 0: must be positive and less than 20000"), "{told}");
        let cells = row::<APIServices>(json!({"metadata": {"name": "v1.e.com"}, "spec": spec}));
        assert_eq!(cells[..3], ["v1.e.com", "n/s", "Unknown"]);
    }
}
