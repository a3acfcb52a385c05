//! What answers: a port of a Service, or another object.

use nakhoda_api::field::{Errors, Path};
use nakhoda_api::kinds::networking::{IngressBackend, IngressServiceBackend};
use nakhoda_api::names;

use crate::rules::check::{each, label, text};
use crate::rules::reference;

pub(super) fn backend(errors: &mut Errors, path: &Path, backend: &IngressBackend) {
    match (&backend.resource, &backend.service) {
        (Some(_), Some(_)) => errors.invalid(path, "", "cannot set both resource and service backends"),
        (Some(resource), None) => {
            let group = resource.api_group.as_deref();
            reference::typed(errors, &path.child("resource"), group, &resource.kind, &resource.name);
        }
        (None, Some(backend)) => service(errors, path, backend),
        (None, None) => errors.invalid(path, "", "resource or service backend is required"),
    }
}

fn service(errors: &mut Errors, path: &Path, service: &IngressServiceBackend) {
    let at = path.child("service");
    if service.name.is_empty() {
        errors.required(&at.child("name"), "");
    } else {
        label(errors, &at.child("name"), &service.name);
    }
    let port = service.port.as_ref();
    let (name, number) =
        (port.map_or("", |port| text(&port.name)), port.and_then(|port| port.number).unwrap_or_default());
    let at = at.child("port");
    match (name, number) {
        ("", 0) => errors.required(path, "port name or number is required"),
        ("", number) => each(errors, &at.child("number"), number, names::is_valid_port_num(number.into())),
        (name, 0) => each(errors, &at.child("name"), name, names::is_valid_port_name(name)),
        _ => errors.invalid(path, "", "cannot set both port name & port number"),
    }
}
