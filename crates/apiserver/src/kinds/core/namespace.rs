//! Namespace: holds the names of other objects. It ends in two steps, the finalizer `kubernetes` of its
//! spec being the last to go; `finalize` is the only way to change that list.

use nakhoda_api::Scope;
use nakhoda_api::field::{Errors, Path};
use nakhoda_api::kinds::core::{Namespace, NamespaceSpec, NamespaceStatus};

use crate::kind::{Columns, Cx, Fields, Info, Kind, NameRule, STATUS, Sub};
use crate::rules::check::{keep_status, list, qualified, text};
use crate::rules::defaults::fill;

/// The kind.
pub struct Namespaces;

const FINALIZER: &str = "kubernetes";
const NAME_LABEL: &str = "kubernetes.io/metadata.name";

impl Kind for Namespaces {
    type Object = Namespace;

    fn info() -> Info {
        Info {
            short: &["ns"],
            verbs: &["create", "delete", "get", "list", "patch", "update", "watch"],
            // what `ctl cluster status` and `ctl etcd` speak to
            private: &[Sub { name: "etcd", verbs: &["get"], kind: None }],
            subresources: &[Sub { name: "finalize", verbs: &["update"], kind: None }, STATUS],
            names: NameRule::Label,
            returns_deleted: true,
            ..Info::of::<Namespace>("namespaces", "namespace", Scope::Cluster)
        }
    }

    fn default(namespace: &mut Namespace) {
        fill(&mut namespace.status.get_or_insert_default().phase, "Active");
        tell_name(namespace);
    }

    fn prepare(cx: &Cx, new: &mut Namespace, old: Option<&Namespace>) {
        let Some(old) = old else {
            // the name may have been generated only now
            tell_name(new);
            new.status = Some(NamespaceStatus { phase: Some("Active".into()), conditions: None });
            let finalizers = new.spec.get_or_insert_default().finalizers.get_or_insert_default();
            if !finalizers.iter().any(|f| f == FINALIZER) {
                finalizers.push(FINALIZER.into());
            }
            return;
        };
        keep_status(cx, &mut new.status, Some(&old.status));
        if cx.subresource.is_empty() {
            new.spec.clone_from(&old.spec);
        }
    }

    fn validate(cx: &Cx, new: &Namespace, old: Option<&Namespace>, errors: &mut Errors) {
        match (cx.subresource.as_str(), old) {
            ("", None) => finalizers(errors, new.spec.as_ref()),
            ("finalize", _) => finalizers(errors, new.spec.as_ref()),
            ("status", _) => phase(errors, new),
            _ => {}
        }
    }

    fn fields(namespace: &Namespace) -> Fields {
        vec![("status.phase", phase_of(namespace).into())]
    }

    fn linger(namespace: &mut Namespace) -> bool {
        namespace.status.get_or_insert_default().phase = Some("Terminating".into());
        namespace.spec.as_ref().is_some_and(|s| !list(&s.finalizers).is_empty())
    }

    fn columns() -> Columns<Namespace> {
        Columns::<Namespace>::named().text("Status", |n, _| phase_of(n).into()).age()
    }
}

/// The name as a label, for selectors.
fn tell_name(namespace: &mut Namespace) {
    if let Some(name) = namespace.metadata.name.clone().filter(|n| !n.is_empty()) {
        namespace.metadata.labels.get_or_insert_default().insert(NAME_LABEL.into(), name);
    }
}

fn phase_of(namespace: &Namespace) -> &str {
    namespace.status.as_ref().map_or("", |s| text(&s.phase))
}

fn finalizers(errors: &mut Errors, spec: Option<&NamespaceSpec>) {
    let path = Path::new("spec.finalizers");
    for name in spec.map_or(&[][..], |s| list(&s.finalizers)) {
        qualified(errors, &path, name);
        if !name.contains('/') && ![FINALIZER, "orphan", "foregroundDeletion"].contains(&name.as_str()) {
            let why = "name is neither a standard finalizer name nor is it fully qualified";
            errors.invalid(&path, name.as_str(), why);
        }
    }
}

fn phase(errors: &mut Errors, namespace: &Namespace) {
    let (wanted, state) = match namespace.metadata.deletion_timestamp {
        None => ("Active", "empty"),
        Some(_) => ("Terminating", "not empty"),
    };
    let phase = phase_of(namespace);
    if phase != wanted {
        let why = format!("may only be '{wanted}' if `deletionTimestamp` is {state}");
        errors.invalid(&Path::new("status.Phase"), phase, why);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::kinds::testing::{defaulted, prepared, row, status};

    #[test]
    fn a_new_namespace_is_active_and_carries_its_name_and_the_finalizer() {
        let namespace = prepared::<Namespaces>(json!({"metadata": {"name": "a"}}), None);
        assert_eq!(namespace["spec"], json!({"finalizers": ["kubernetes"]}));
        assert_eq!(namespace["status"], json!({"phase": "Active"}));
        let namespace = defaulted::<Namespaces>(json!({"metadata": {"name": "a"}}));
        assert_eq!(namespace["metadata"]["labels"], json!({"kubernetes.io/metadata.name": "a"}));
        assert_eq!(row::<Namespaces>(namespace)[1], "Active");
    }

    #[test]
    fn the_phase_follows_the_deletion() {
        let old = json!({"status": {"phase": "Active"}});
        assert_eq!(
            status::<Namespaces>(old, json!({"status": {"phase": "Terminating"}})),
            "status.Phase: Invalid value: \"Terminating\": may only be 'Active' if `deletionTimestamp` is empty"
        );
    }
}
