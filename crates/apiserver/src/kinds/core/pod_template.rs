//! PodTemplate: a template of pods that nothing makes pods of by itself.

use nakhoda_api::Scope;
use nakhoda_api::field::{Errors, Path};
use nakhoda_api::kinds::core::{Container, PodTemplate, PodTemplateSpec};

use crate::kind::{Columns, Cx, Info, Kind};
use crate::rules::{defaults, pod, print};

/// The kind.
pub struct PodTemplates;

impl Kind for PodTemplates {
    type Object = PodTemplate;

    fn info() -> Info {
        Info {
            generation: true,
            returns_deleted: true,
            ..Info::of::<PodTemplate>("podtemplates", "podtemplate", Scope::Namespaced)
        }
    }

    fn default(template: &mut PodTemplate) {
        defaults::template(template.template.get_or_insert_default());
    }

    fn validate(_: &Cx, new: &PodTemplate, _: Option<&PodTemplate>, errors: &mut Errors) {
        let none = PodTemplateSpec::default();
        pod::template(errors, &Path::new("template"), new.template.as_ref().unwrap_or(&none));
    }

    fn warnings(new: &PodTemplate, old: Option<&PodTemplate>) -> Vec<String> {
        let changed = old.is_none_or(|old| old.metadata.generation != new.metadata.generation);
        let template = new.template.iter().filter(|_| changed);
        template.flat_map(|template| pod::warnings::template("template.spec", template)).collect()
    }

    fn columns() -> Columns<PodTemplate> {
        fn containers(template: &PodTemplate) -> &[Container] {
            template.template.as_ref().and_then(|t| t.spec.as_ref()).map_or(&[], |s| &s.containers)
        }
        Columns::<PodTemplate>::named()
            .text("Containers", |t, _| print::names(containers(t)).into())
            .text("Images", |t, _| print::images(containers(t)).into())
            .text("Pod Labels", |t, _| {
                let metadata = t.template.as_ref().and_then(|t| t.metadata.as_ref());
                print::labels(metadata.and_then(|m| m.labels.as_ref())).into()
            })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::kinds::testing::{create, defaulted, row};

    #[test]
    fn the_template_is_defaulted_checked_and_shown() {
        let template = defaulted::<PodTemplates>(json!({"metadata": {"name": "t"}, "template": {
            "metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "c", "image": "i"}]}}}));
        assert_eq!(create::<PodTemplates>(template.clone()), "");
        assert_eq!(row::<PodTemplates>(template), ["t", "c", "i", "a=b"]);
        assert_eq!(
            create::<PodTemplates>(defaulted::<PodTemplates>(json!({"template": {"spec": {}}}))),
            "template.spec.containers: Required value"
        );
    }
}
