//! ResourceClaimTemplate: of which the claims of pods are made.

use nakhoda_api::Scope;
use nakhoda_api::field::{Errors, Path};
use nakhoda_api::kinds::resource::ResourceClaimTemplate;

use crate::kind::{Columns, Cx, Info, Kind};
use crate::rules::check::{annotations, immutable, labels};
use crate::rules::device;

/// The kind.
pub struct ResourceClaimTemplates;

impl Kind for ResourceClaimTemplates {
    type Object = ResourceClaimTemplate;

    fn info() -> Info {
        Info {
            returns_deleted: true,
            ..Info::of::<ResourceClaimTemplate>("resourceclaimtemplates", "resourceclaimtemplate", Scope::Namespaced)
        }
    }

    fn default(template: &mut ResourceClaimTemplate) {
        let spec = template.spec.as_mut().and_then(|spec| spec.spec.as_mut());
        spec.into_iter().for_each(device::default_claim);
    }

    fn validate(_: &Cx, new: &Self::Object, old: Option<&Self::Object>, errors: &mut Errors) {
        let path = Path::new("spec");
        if let Some(spec) = &new.spec {
            if let Some(metadata) = &spec.metadata {
                let at = path.child("metadata");
                labels(errors, &at.child("labels"), metadata.labels.as_ref());
                annotations(errors, &at.child("annotations"), metadata.annotations.as_ref());
            }
            if let Some(devices) = spec.spec.as_ref().and_then(|spec| spec.devices.as_ref()) {
                device::claim(errors, &path.child("spec").child("devices"), devices);
            }
        }
        if let Some(old) = old {
            immutable(errors, &path, &new.spec, &old.spec);
        }
    }

    fn columns() -> Columns<ResourceClaimTemplate> {
        Columns::default()
    }
}
