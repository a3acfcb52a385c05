//! RuntimeClass: a pod that names a class is placed where the class is and pays what the class costs; nobody
//! else says what a pod's overhead is.

use std::collections::BTreeMap;

use futures::future::BoxFuture;
use nakhoda_api::kinds::core::{Pod, Toleration};
use nakhoda_api::kinds::node::RuntimeClass as Class;
use nakhoda_api::kinds::Quantity;
use nakhoda_api::quantity;
use nakhoda_api::{Object, Status};
use serde::Serialize;
use serde_json::Value;

use super::{Attributes, Operation, Plugin};
use crate::rules::taint;

const MISMATCH: &str = "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead";
const UNFOUNDED: &str = "pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead";

type Amounts = BTreeMap<String, Quantity>;

/// The plugin.
pub struct RuntimeClass;

impl Plugin for RuntimeClass {
    fn name(&self) -> &'static str {
        "RuntimeClass"
    }

    fn handles(&self, attributes: &Attributes<'_>) -> bool {
        attributes.operation == Operation::Create && attributes.is("", "pods") && attributes.subresource().is_empty()
    }

    fn mutate<'a>(&'a self, attributes: &'a Attributes<'a>, new: &'a mut Object) -> BoxFuture<'a, Result<(), Status>> {
        Box::pin(async move {
            let Some(class) = class(attributes, new).await? else { return Ok(()) };
            let pod: Pod = new.typed().map_err(|error| Status::internal(&error))?;
            let merged = merge(&pod, &class).map_err(|why| attributes.forbidden(Some(new), &why))?;
            if let Some(overhead) = merged.overhead {
                set(new, "overhead", &overhead)?;
            }
            if class.scheduling.is_some() {
                set(new, "nodeSelector", &merged.selector)?;
                set(new, "tolerations", &merged.tolerations)?;
            }
            Ok(())
        })
    }

    fn validate<'a>(
        &'a self,
        attributes: &'a Attributes<'a>,
        object: Option<&'a Object>,
    ) -> BoxFuture<'a, Result<(), Status>> {
        Box::pin(async move {
            let Some(new) = object else { return Ok(()) };
            let overhead = class(attributes, new).await?.and_then(|class| class.overhead);
            if overhead.is_none() && new.at(&["spec", "overhead"]).is_none() {
                return Ok(());
            }
            let pod: Pod = new.typed().map_err(|error| Status::internal(&error))?;
            let given = pod.spec.as_ref().and_then(|spec| spec.overhead.as_ref());
            match overhead {
                Some(overhead) if !same(overhead.pod_fixed.as_ref(), given) => Err(attributes.forbidden(object, MISMATCH)),
                None if given.is_some() => Err(attributes.forbidden(object, UNFOUNDED)),
                _ => Ok(()),
            }
        })
    }
}

/// What a class makes of a pod.
#[derive(Debug, PartialEq)]
struct Merged {
    overhead: Option<Amounts>,
    selector: BTreeMap<String, String>,
    tolerations: Vec<Toleration>,
}

fn merge(pod: &Pod, class: &Class) -> Result<Merged, String> {
    let spec = pod.spec.clone().unwrap_or_default();
    let overhead = class.overhead.as_ref().map(|overhead| overhead.pod_fixed.clone().unwrap_or_default());
    if let (Some(fixed), Some(given)) = (&overhead, spec.overhead.filter(|given| !given.is_empty()))
        && !same(Some(fixed), Some(&given))
    {
        return Err(MISMATCH.into());
    }
    let scheduling = class.scheduling.clone().unwrap_or_default();
    let mut selector = spec.node_selector.unwrap_or_default();
    for (key, value) in scheduling.node_selector.unwrap_or_default() {
        if let Some(given) = selector.get(&key).filter(|given| **given != value) {
            return Err(format!(
                "conflict: runtimeClass.scheduling.nodeSelector[{key}] = {value}; pod.spec.nodeSelector[{key}] = {given}"
            ));
        }
        selector.insert(key, value);
    }
    let tolerations = [spec.tolerations, scheduling.tolerations].into_iter().flatten().flatten().collect();
    Ok(Merged { overhead, selector, tolerations: taint::merge(tolerations) })
}

/// The class that the pod names.
async fn class(attributes: &Attributes<'_>, pod: &Object) -> Result<Option<Class>, Status> {
    let Some(name) = pod.str_at(&["spec", "runtimeClassName"]) else { return Ok(None) };
    match attributes.find::<Class>("", name).await? {
        Some(class) => Ok(Some(class)),
        None => Err(attributes.forbidden(Some(pod), &format!("pod rejected: RuntimeClass {name:?} not found"))),
    }
}

/// Whether two lists of amounts say the same, in whatever form.
fn same(one: Option<&Amounts>, other: Option<&Amounts>) -> bool {
    let read = |amounts: Option<&Amounts>| -> BTreeMap<String, Option<quantity::Quantity>> {
        amounts.into_iter().flatten().map(|(name, amount)| (name.clone(), amount.try_into().ok())).collect()
    };
    read(one) == read(other)
}

/// Fills a field of the spec; an empty list or map is left out.
fn set<T: Serialize>(pod: &mut Object, field: &str, value: &T) -> Result<(), Status> {
    let value = serde_json::to_value(value).map_err(|error| Status::internal(&error))?;
    let empty = value.as_object().is_some_and(|map| map.is_empty()) || value.as_array().is_some_and(Vec::is_empty);
    if !empty && value != Value::Null {
        pod.set_at(&["spec", field], value);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::testing::Server;

    async fn server() -> Server {
        let server = Server::start().await;
        let scheduling = json!({
            "nodeSelector": {"sandbox": "yes"},
            "tolerations": [{"key": "sandbox", "operator": "Exists", "effect": "NoSchedule"}],
        });
        for class in [
            json!({"metadata": {"name": "dear"}, "handler": "h", "overhead": {"podFixed": {"cpu": "200m"}}, "scheduling": scheduling}),
            json!({"metadata": {"name": "plain"}, "handler": "h"}),
        ] {
            server.create("runtimeclasses", "", &class).await.expect("made");
        }
        server
    }

    fn pod(name: &str, spec: Value) -> Value {
        let mut pod = json!({"metadata": {"name": name}, "spec": {"containers": [{"name": "c", "image": "i"}]}});
        for (field, value) in spec.as_object().into_iter().flatten() {
            pod["spec"][field] = value.clone();
        }
        pod
    }

    #[tokio::test]
    async fn a_pod_gets_what_its_class_says() {
        let server = server().await;
        let given = json!({"runtimeClassName": "dear", "nodeSelector": {"a": "b"}, "overhead": {"cpu": "0.2"}});
        let made = server.create("pods", "default", &pod("p", given)).await.expect("made");
        assert_eq!(made["spec"]["overhead"], json!({"cpu": "200m"}));
        assert_eq!(made["spec"]["nodeSelector"], json!({"a": "b", "sandbox": "yes"}));
        assert_eq!(made["spec"]["tolerations"].as_array().map(Vec::len), Some(3));
        let made = server.create("pods", "default", &pod("q", json!({"runtimeClassName": "plain"}))).await.expect("made");
        assert_eq!(made["spec"].get("overhead"), None);
    }

    #[tokio::test]
    async fn a_pod_that_its_class_does_not_fit_is_refused() {
        let server = server().await;
        let conflict =
            "conflict: runtimeClass.scheduling.nodeSelector[sandbox] = yes; pod.spec.nodeSelector[sandbox] = no";
        for (spec, why) in [
            (json!({"runtimeClassName": "none"}), "pod rejected: RuntimeClass \"none\" not found"),
            (json!({"runtimeClassName": "dear", "overhead": {"cpu": "1"}}), MISMATCH),
            (json!({"runtimeClassName": "dear", "nodeSelector": {"sandbox": "no"}}), conflict),
            (json!({"runtimeClassName": "plain", "overhead": {"cpu": "1"}}), UNFOUNDED),
            (json!({"overhead": {"cpu": "1"}}), UNFOUNDED),
        ] {
            let refused = server.create("pods", "default", &pod("p", spec)).await.expect_err("refused");
            assert_eq!((refused.code, refused.message), (403, format!("pods \"p\" is forbidden: {why}")));
        }
    }
}
