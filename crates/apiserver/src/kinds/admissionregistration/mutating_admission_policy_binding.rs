//! MutatingAdmissionPolicyBinding: where a policy holds, and with which parameters.

use nakhoda_api::Scope;
use nakhoda_api::field::{Errors, Path};
use nakhoda_api::kinds::admissionregistration::{MutatingAdmissionPolicyBinding, MutatingAdmissionPolicyBindingSpec};

use crate::kind::{Columns, Cx, Info, Kind};
use crate::rules::admission;
use crate::rules::check::text;

/// The kind.
pub struct MutatingAdmissionPolicyBindings;

impl Kind for MutatingAdmissionPolicyBindings {
    type Object = MutatingAdmissionPolicyBinding;

    fn info() -> Info {
        let (plural, singular) = ("mutatingadmissionpolicybindings", "mutatingadmissionpolicybinding");
        Info {
            categories: &["api-extensions"],
            generation: true,
            unconditional_update: false,
            ..Info::of::<MutatingAdmissionPolicyBinding>(plural, singular, Scope::Cluster)
        }
    }

    fn default(binding: &mut MutatingAdmissionPolicyBinding) {
        let resources = binding.spec.as_mut().and_then(|spec| spec.match_resources.as_mut());
        resources.into_iter().for_each(admission::default_resources);
    }

    fn validate(_: &Cx, new: &Self::Object, _: Option<&Self::Object>, errors: &mut Errors) {
        let (path, none) = (Path::new("spec"), MutatingAdmissionPolicyBindingSpec::default());
        let spec = new.spec.as_ref().unwrap_or(&none);
        admission::policy_name(errors, &path.child("policyName"), text(&spec.policy_name));
        if let Some(reference) = &spec.param_ref {
            admission::param_ref(errors, &path.child("paramRef"), reference);
        }
        let at = path.child("matchResources");
        if let Some(resources) = &spec.match_resources {
            admission::match_resources(errors, &at, resources);
        }
        admission::mutating_operations(errors, &at, spec.match_resources.as_ref());
    }

    fn columns() -> Columns<MutatingAdmissionPolicyBinding> {
        Columns::<MutatingAdmissionPolicyBinding>::named()
            .text("PolicyName", |b, _| b.spec.as_ref().map_or("", |spec| text(&spec.policy_name)).into())
            .text("ParamRef", |b, _| {
                admission::shown_ref(b.spec.as_ref().and_then(|spec| spec.param_ref.as_ref())).into()
            })
            .age()
    }
}
