//! IngressClass: who serves an Ingress.

use nakhoda_api::Scope;
use nakhoda_api::field::{Errors, Path};
use nakhoda_api::kinds::networking::{IngressClass, IngressClassParametersReference, IngressClassSpec};

use crate::kind::{Columns, Cx, Info, Kind};
use crate::rules::check::{immutable, label, text};
use crate::rules::reference;

/// The kind.
pub struct IngressClasses;

const CONTROLLER_MAX: usize = 250;

impl Kind for IngressClasses {
    type Object = IngressClass;

    fn info() -> Info {
        Info { generation: true, ..Info::of::<IngressClass>("ingressclasses", "ingressclass", Scope::Cluster) }
    }

    fn default(class: &mut IngressClass) {
        if let Some(parameters) = class.spec.as_mut().and_then(|spec| spec.parameters.as_mut()) {
            parameters.scope.get_or_insert_with(|| "Cluster".into());
        }
    }

    fn validate(_: &Cx, new: &IngressClass, old: Option<&IngressClass>, errors: &mut Errors) {
        let (path, none) = (Path::new("spec"), IngressClassSpec::default());
        let spec = new.spec.as_ref().unwrap_or(&none);
        let at = path.child("controller");
        if let Some(old) = old {
            immutable(errors, &at, &spec.controller, &old.spec.as_ref().unwrap_or(&none).controller);
        }
        if text(&spec.controller).len() > CONTROLLER_MAX {
            errors.too_long(&at, CONTROLLER_MAX);
        }
        reference::domain_path(errors, &at, text(&spec.controller));
        if let Some(given) = &spec.parameters {
            parameters(errors, &path.child("parameters"), given);
        }
    }

    fn columns() -> Columns<IngressClass> {
        Columns::<IngressClass>::none()
            .text("Name", |c, _| shown(c).into())
            .format("name")
            .text("Controller", |c, _| c.spec.as_ref().map_or("", |spec| text(&spec.controller)).into())
            .text("Parameters", |c, _| referred(c).into())
            .age()
    }
}

fn parameters(errors: &mut Errors, path: &Path, given: &IngressClassParametersReference) {
    reference::typed(errors, path, given.api_group.as_deref(), &given.kind, &given.name);
    let at = path.child("namespace");
    match (given.scope.as_deref(), &given.namespace) {
        (None, _) => errors.required(&path.child("scope"), ""),
        (Some("Namespace"), None) => errors.required(&at, "`parameters.scope` is set to 'Namespace'"),
        (Some("Namespace"), Some(namespace)) => label(errors, &at, namespace),
        (Some("Cluster"), Some(_)) => errors.forbidden(&at, "`parameters.scope` is set to 'Cluster'"),
        (Some("Cluster"), None) => {}
        (Some(other), _) => errors.not_supported(&path.child("scope"), other, &["Cluster", "Namespace"]),
    }
}

/// Whether Ingresses that name no class get this one.
pub(crate) fn is_default(class: &IngressClass) -> bool {
    let annotations = class.metadata.annotations.as_ref();
    annotations.and_then(|all| all.get("ingressclass.kubernetes.io/is-default-class")).is_some_and(|v| v == "true")
}

fn shown(class: &IngressClass) -> String {
    format!("{}{}", text(&class.metadata.name), if is_default(class) { " (default)" } else { "" })
}

fn referred(class: &IngressClass) -> String {
    let Some(given) = class.spec.as_ref().and_then(|spec| spec.parameters.as_ref()) else { return "<none>".into() };
    let group = given.api_group.as_ref().map(|group| format!(".{group}")).unwrap_or_default();
    format!("{}{group}/{}", given.kind, given.name)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::kinds::testing::{create, defaulted, row, update};

    #[test]
    fn the_controller_is_a_path_and_stays() {
        let spec = |controller: &str| json!({"spec": {"controller": controller}});
        assert_eq!(create::<IngressClasses>(spec("a.example.com/b")), "");
        assert_eq!(
            create::<IngressClasses>(spec("a")),
            "spec.controller: Invalid value: \"a\": must be a domain-prefixed path (such as \"acme.io/foo\")"
        );
        assert_eq!(
            update::<IngressClasses>(spec("a.b/c"), spec("a.b/d")),
            "spec.controller: Invalid value: \"a.b/d\": field is immutable"
        );
    }

    #[test]
    fn parameters_lie_in_the_cluster_unless_told_otherwise() {
        let class = defaulted::<IngressClasses>(json!({
            "metadata": {"name": "a", "annotations": {"ingressclass.kubernetes.io/is-default-class": "true"}},
            "spec": {"controller": "a.b/c", "parameters": {"apiGroup": "x.y", "kind": "P", "name": "q"}},
        }));
        assert_eq!(class["spec"]["parameters"]["scope"], "Cluster");
        assert_eq!(row::<IngressClasses>(class)[..3], ["a (default)", "a.b/c", "P.x.y/q"]);
    }
}
