//! Priority: the number behind the priority class of a pod or a group of them, and one default class at most.

use futures::future::BoxFuture;
use nakhoda_api::kinds::scheduling::PriorityClass;
use nakhoda_api::{Object, Status};
use serde_json::Value;

use super::{Attributes, Operation, Plugin};

const DEFAULT_POLICY: &str = "PreemptLowerPriority";

/// The plugin.
pub struct Priority;

impl Plugin for Priority {
    fn name(&self) -> &'static str {
        "Priority"
    }

    fn handles(&self, attributes: &Attributes<'_>) -> bool {
        let writes = matches!(attributes.operation, Operation::Create | Operation::Update);
        let pods = attributes.is("", "pods") && attributes.subresource().is_empty();
        let groups = is_group(attributes) && attributes.operation == Operation::Create;
        writes && (pods || groups || attributes.is("scheduling.k8s.io", "priorityclasses"))
    }

    fn mutate<'a>(&'a self, attributes: &'a Attributes<'a>, pod: &'a mut Object) -> BoxFuture<'a, Result<(), Status>> {
        Box::pin(async move {
            if is_group(attributes) {
                return resolve_group(attributes, pod).await;
            }
            if !attributes.is("", "pods") {
                return Ok(());
            }
            match attributes.old {
                Some(old) => keep(pod, old),
                None => resolve(attributes, pod).await?,
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
            let Some(class) = object.filter(|_| attributes.is("scheduling.k8s.io", "priorityclasses")) else { return Ok(()) };
            if class.at(&["globalDefault"]) != Some(&Value::Bool(true)) {
                return Ok(());
            }
            let Some(other) = default_class(attributes) else { return Ok(()) };
            let name = other.metadata.name.unwrap_or_default();
            if attributes.operation == Operation::Update && name == class.name() {
                return Ok(());
            }
            let why = format!("PriorityClass {name} is already marked as default. Only one default can exist");
            Err(attributes.forbidden(object, &why))
        })
    }
}

fn keep(pod: &mut Object, old: &Object) {
    for field in ["priority", "preemptionPolicy"] {
        let path = ["spec", field];
        if let (None, Some(value)) = (pod.at(&path), old.at(&path)) {
            pod.set_at(&path, value.clone());
        }
    }
}

fn is_group(attributes: &Attributes<'_>) -> bool {
    attributes.is("scheduling.k8s.io", "podgroups") && attributes.subresource().is_empty()
}

async fn resolve_group(attributes: &Attributes<'_>, group: &mut Object) -> Result<(), Status> {
    let class = class_of(attributes, group).await?;
    let (name, priority) = class.map_or((None, 0), |class| (class.metadata.name, class.value.unwrap_or(0)));
    if let Some(given) = group.at(&["spec", "priority"]).and_then(Value::as_i64).filter(|p| *p != i64::from(priority)) {
        let why = format!(
            "priority set in the pod group ({given}) must match the priority computed ({priority}) based on the priority class set in the spec"
        );
        return Err(attributes.forbidden(Some(group), &why));
    }
    if let Some(name) = name {
        group.set_at(&["spec", "priorityClassName"], name.into());
    }
    group.set_at(&["spec", "priority"], priority.into());
    Ok(())
}

/// The class that is named, or the default one.
async fn class_of(attributes: &Attributes<'_>, object: &Object) -> Result<Option<PriorityClass>, Status> {
    match object.str_at(&["spec", "priorityClassName"]) {
        Some(name) => find(attributes, object, name).await.map(Some),
        None => Ok(default_class(attributes)),
    }
}

async fn resolve(attributes: &Attributes<'_>, pod: &mut Object) -> Result<(), Status> {
    let class = class_of(attributes, pod).await?;
    let (name, priority, policy) = match class {
        Some(class) => (class.metadata.name, class.value.unwrap_or(0), class.preemption_policy),
        None => (None, 0, None),
    };
    let policy = policy.unwrap_or_else(|| DEFAULT_POLICY.into());
    if let Some(given) = pod.at(&["spec", "priority"]).and_then(Value::as_i64).filter(|p| *p != i64::from(priority)) {
        let why = format!(
            "the integer value of priority ({given}) must not be provided in pod spec; priority admission controller computed {priority} from the given PriorityClass name"
        );
        return Err(attributes.forbidden(Some(pod), &why));
    }
    let given = pod.at(&["spec", "preemptionPolicy"]).and_then(Value::as_str);
    if let Some(given) = given.filter(|given| *given != policy) {
        let why = format!(
            "the string value of PreemptionPolicy ({given}) must not be provided in pod spec; priority admission controller computed {policy} from the given PriorityClass name"
        );
        return Err(attributes.forbidden(Some(pod), &why));
    }
    if let Some(name) = name {
        pod.set_at(&["spec", "priorityClassName"], name.into());
    }
    pod.set_at(&["spec", "priority"], priority.into());
    pod.set_at(&["spec", "preemptionPolicy"], policy.into());
    Ok(())
}

async fn find(attributes: &Attributes<'_>, pod: &Object, name: &str) -> Result<PriorityClass, Status> {
    let class = attributes.find("", name).await?;
    class.ok_or_else(|| attributes.forbidden(Some(pod), &format!("no PriorityClass with name {name} was found")))
}

/// The default class; of several (a race let them in) the one of the lowest value.
fn default_class(attributes: &Attributes<'_>) -> Option<PriorityClass> {
    let classes = attributes.call.pipeline.storage().list::<PriorityClass>(None);
    classes.into_iter().filter(|class| class.global_default == Some(true)).min_by_key(|class| class.value)
}
