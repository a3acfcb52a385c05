//! AlwaysPullImages: an image is pulled by the credentials of each pod, so that nobody runs what only others may
//! read. Off unless it is asked for.

use std::collections::BTreeSet;

use futures::future::BoxFuture;
use nakhoda_api::{Object, Status};
use serde_json::Value;

use super::{Attributes, Operation, Plugin};

const LISTS: [&str; 3] = ["initContainers", "containers", "ephemeralContainers"];
const ALWAYS: &str = "Always";

/// The plugin.
pub struct AlwaysPullImages;

impl Plugin for AlwaysPullImages {
    fn name(&self) -> &'static str {
        "AlwaysPullImages"
    }

    fn handles(&self, attributes: &Attributes<'_>) -> bool {
        let writes = matches!(attributes.operation, Operation::Create | Operation::Update);
        writes && attributes.is("", "pods") && attributes.subresource().is_empty()
    }

    fn mutate<'a>(&'a self, attributes: &'a Attributes<'a>, pod: &'a mut Object) -> BoxFuture<'a, Result<(), Status>> {
        if !keeps_images(attributes, pod) {
            let mut spec = pod.at(&["spec"]).cloned().unwrap_or_default();
            for list in LISTS {
                each(&mut spec[list], |container| container["imagePullPolicy"] = ALWAYS.into());
            }
            each(&mut spec["volumes"], |volume| {
                if let Some(image) = volume.get_mut("image").and_then(Value::as_object_mut) {
                    image.insert("pullPolicy".into(), ALWAYS.into());
                }
            });
            // what is not there was looked at, too
            if let Some(fields) = spec.as_object_mut() {
                fields.retain(|_, value| !value.is_null());
            }
            pod.set_at(&["spec"], spec);
        }
        Box::pin(async { Ok(()) })
    }

    fn validate<'a>(
        &'a self,
        attributes: &'a Attributes<'a>,
        object: Option<&'a Object>,
    ) -> BoxFuture<'a, Result<(), Status>> {
        Box::pin(async move {
            let Some(pod) = object.filter(|pod| !keeps_images(attributes, pod)) else { return Ok(()) };
            let refused: Vec<String> = faults(pod).iter().map(|why| attributes.forbidden(object, why).message).collect();
            match refused.as_slice() {
                [] => Ok(()),
                [one] => Err(Status { message: one.clone(), ..attributes.forbidden(object, "") }),
                all => Err(Status { message: format!("[{}]", all.join(", ")), ..attributes.forbidden(object, "") }),
            }
        })
    }
}

fn faults(pod: &Object) -> Vec<String> {
    let fault = |path: String, policy: &Value| {
        let shown = policy.as_str().unwrap_or_default();
        (shown != ALWAYS)
            .then(|| format!("{path}: Unsupported value: {shown:?}: supported values: {ALWAYS:?}"))
    };
    let spec = pod.at(&["spec"]).cloned().unwrap_or_default();
    let items = |list: &str| spec[list].as_array().cloned().unwrap_or_default();
    let containers = LISTS.iter().flat_map(|list| {
        let numbered = items(list).into_iter().enumerate();
        numbered.filter_map(move |(i, one)| fault(format!("spec.{list}[{i}].imagePullPolicy"), &one["imagePullPolicy"]))
    });
    let volumes = items("volumes").into_iter().enumerate().filter(|(_, volume)| volume["image"].is_object());
    let volumes =
        volumes.filter_map(|(i, one)| fault(format!("spec.volumes[{i}].image.pullPolicy"), &one["image"]["pullPolicy"]));
    containers.chain(volumes).collect()
}

fn each(list: &mut Value, change: impl Fn(&mut Value)) {
    list.as_array_mut().into_iter().flatten().for_each(change);
}

/// Whether an update brings no image that was not there.
fn keeps_images(attributes: &Attributes<'_>, pod: &Object) -> bool {
    attributes.old.is_some_and(|old| images(pod).is_subset(&images(old)))
}

fn images(pod: &Object) -> BTreeSet<String> {
    let of = |list: &str| pod.at(&["spec", list]).and_then(Value::as_array).cloned().unwrap_or_default();
    LISTS.iter().flat_map(|list| of(list)).filter_map(|one| one["image"].as_str().map(str::to_owned)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_container_and_image_volume_is_named_that_does_not_pull() {
        let pod = json!({"spec": {"containers": [{"imagePullPolicy": "Always"}, {"imagePullPolicy": "Never"}],
            "volumes": [{"emptyDir": {}}, {"image": {}}]}});
        assert_eq!(
            faults(&Object::from_value(pod).expect("an object")),
            [
                "spec.containers[1].imagePullPolicy: Unsupported value: \"Never\": supported values: \"Always\"",
                "spec.volumes[1].image.pullPolicy: Unsupported value: \"\": supported values: \"Always\"",
            ]
        );
    }
}
