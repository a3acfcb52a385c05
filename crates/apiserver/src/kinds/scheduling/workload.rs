//! Workload: templates of pod groups, as the controller that runs the pods wants them.

use nakhoda_api::Scope;
use nakhoda_api::field::{Errors, Path};
use nakhoda_api::kinds::scheduling_v1beta1::{PodGroupTemplate, TypedLocalObjectReference, Workload};
use nakhoda_api::names;

use crate::kind::{Columns, Cx, Info, Kind};
use crate::rules::check::{each, label, list, subdomain, text};
use crate::rules::device::{unique, within};
use crate::rules::gang::{self, Common};

/// The kind.
pub struct Workloads;

const TEMPLATES_MAX: usize = 8;

impl Kind for Workloads {
    type Object = Workload;

    fn info() -> Info {
        Info::of::<Workload>("workloads", "workload", Scope::Namespaced)
    }

    fn prepare(_: &Cx, new: &mut Workload, _: Option<&Workload>) {
        new.spec.composite_pod_group_templates = None;
        for template in new.spec.pod_group_templates.iter_mut().flatten() {
            template.scheduling_constraints = None;
            template.resource_claims = None;
            template.preemption_policy = None;
        }
    }

    fn validate(_: &Cx, new: &Workload, old: Option<&Workload>, errors: &mut Errors) {
        let path = Path::new("spec");
        let at = path.child("controllerRef");
        if gang::keeps(errors, &at, &new.spec.controller_ref, old.map(|old| &old.spec.controller_ref)) {
            new.spec.controller_ref.iter().for_each(|reference| controller(errors, &at, reference));
        }
        let given = list(&new.spec.pod_group_templates);
        let names = [("podGroupTemplates", !given.is_empty()), ("compositePodGroupTemplates", false)];
        gang::one_of(errors, &path, &names);
        templates(errors, &path.child(names[0].0), given, old.map(|old| list(&old.spec.pod_group_templates)));
    }

    fn columns() -> Columns<Workload> {
        Columns::default()
    }
}

fn controller(errors: &mut Errors, path: &Path, reference: &TypedLocalObjectReference) {
    let group = text(&reference.api_group);
    if !group.is_empty() {
        subdomain(errors, &path.child("apiGroup"), group);
    }
    let segment = |errors: &mut Errors, at: &Path, name: &str| each(errors, at, name, names::is_path_segment_name(name));
    gang::named(errors, &path.child("kind"), &reference.kind, segment);
    gang::named(errors, &path.child("name"), &reference.name, segment);
}

fn templates(errors: &mut Errors, path: &Path, new: &[PodGroupTemplate], old: Option<&[PodGroupTemplate]>) {
    if !within(errors, path, new.len(), TEMPLATES_MAX) {
        return;
    }
    unique(errors, path, new.iter().map(|template| template.name.as_str()));
    for (i, template) in new.iter().enumerate() {
        let at = path.index(i);
        let before = old.and_then(|old| old.iter().find(|before| before.name == template.name));
        if old.is_some() && before.is_none() {
            errors.unfit(&at, "item may not be added");
        }
        gang::named(errors, &at.child("name"), &template.name, label);
        Common::from(template).check(errors, &at, before.map(Common::from));
    }
    let gone = |before: &&PodGroupTemplate| new.iter().all(|template| template.name != before.name);
    if old.into_iter().flatten().any(|before| gone(&before)) {
        errors.unfit(path, "items may not be removed");
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::kinds::testing::{create, update};

    fn workload(templates: &Value) -> Value {
        json!({"metadata": {"name": "w"}, "spec": {"podGroupTemplates": templates,
            "controllerRef": {"apiGroup": "batch", "kind": "Job", "name": "j"}}})
    }

    fn template(name: &str, count: i32) -> Value {
        json!({"name": name, "schedulingPolicy": {"gang": {"minCount": count}}})
    }

    #[test]
    fn templates_have_names_of_their_own() {
        assert_eq!(create::<Workloads>(workload(&json!([template("a", 1), template("b", 2)]))), "");
        let faults = create::<Workloads>(workload(&json!([template("a", 1), template("a", 0)])));
        let at = "spec.podGroupTemplates[1]";
        assert!(faults.contains(&format!("{at}: Duplicate value: \"a\"")), "{faults}");
        assert!(faults.contains(&format!("{at}.schedulingPolicy.gang.minCount: Required value")), "{faults}");
        assert!(create::<Workloads>(workload(&json!([]))).contains("must specify one of: `podGroupTemplates`"));
        let many: Vec<Value> = (0..9).map(|i| template(&format!("t{i}"), 1)).collect();
        assert!(create::<Workloads>(workload(&json!(many))).contains("must have at most 8 items"));
    }

    #[test]
    fn templates_stay_but_a_gang_may_grow() {
        let old = || workload(&json!([template("a", 1)]));
        assert_eq!(update::<Workloads>(old(), workload(&json!([template("a", 2)]))), "");
        let faults = update::<Workloads>(old(), workload(&json!([template("b", 1)])));
        assert!(faults.contains("may not be added") && faults.contains("may not be removed"), "{faults}");
    }
}
