//! PodTolerationRestriction: a namespace says by annotations which tolerations its pods get, and which they may have;
//! where it does not, the configuration does. Off unless it is asked for.

use futures::future::BoxFuture;
use nakhoda_api::kinds::core::{Namespace, Pod, Toleration};
use nakhoda_api::{Object, Reason, Status, qos};
use serde_json::Value;

use super::{Attributes, Operation, Plugin};
use crate::rules::taint;

const DEFAULTS: &str = "scheduler.alpha.kubernetes.io/defaultTolerations";
const WHITELIST: &str = "scheduler.alpha.kubernetes.io/tolerationsWhitelist";
const MEMORY_PRESSURE: &str = "node.kubernetes.io/memory-pressure";

/// The plugin, with what counts where a namespace says nothing.
#[derive(Default)]
pub struct PodTolerationRestriction {
    defaults: Vec<Toleration>,
    whitelist: Vec<Toleration>,
}

// === impl PodTolerationRestriction ===

impl PodTolerationRestriction {
    /// Without a configuration.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn check(&self, pod: &Pod, namespace: &Namespace) -> Result<(), Status> {
        let tolerations = pod.spec.as_ref().and_then(|spec| spec.tolerations.as_deref()).unwrap_or_default();
        let own = annotated(namespace, WHITELIST)?;
        let scope = if own.is_some() { "namespace" } else { "cluster" };
        let whitelist = own.unwrap_or_else(|| self.whitelist.clone());
        let fits = |one: &Toleration| whitelist.iter().any(|wide| taint::covers(wide, one));
        if whitelist.is_empty() || tolerations.iter().all(fits) {
            return Ok(());
        }
        let why = format!(
            "pod tolerations (possibly merged with namespace default tolerations) conflict with its {scope} whitelist"
        );
        Err(Status::failure(500, Reason::InternalError, why))
    }

    fn extra(&self, pod: &Pod, namespace: &Namespace, is_new: bool) -> Result<Vec<Toleration>, Status> {
        let mut extra = Vec::new();
        if is_new {
            extra = annotated(namespace, DEFAULTS)?.unwrap_or_else(|| self.defaults.clone());
        }
        if pod.spec.as_ref().is_some_and(|spec| qos::class(spec) != "BestEffort") {
            extra.push(Toleration {
                key: Some(MEMORY_PRESSURE.into()),
                operator: Some("Exists".into()),
                effect: Some("NoSchedule".into()),
                ..Toleration::default()
            });
        }
        Ok(extra)
    }
}

impl Plugin for PodTolerationRestriction {
    fn name(&self) -> &'static str {
        "PodTolerationRestriction"
    }

    fn configure(&mut self, configuration: &Value) -> Result<(), String> {
        let read = |field: &str| match &configuration[field] {
            Value::Null => Ok(Vec::new()),
            list => serde_json::from_value(list.clone()).map_err(|error| format!("{field}: {error}")),
        };
        (self.defaults, self.whitelist) = (read("default")?, read("whitelist")?);
        Ok(())
    }

    fn handles(&self, attributes: &Attributes<'_>) -> bool {
        let writes = matches!(attributes.operation, Operation::Create | Operation::Update);
        writes && attributes.is("", "pods") && attributes.subresource().is_empty()
    }

    fn mutate<'a>(
        &'a self,
        attributes: &'a Attributes<'a>,
        object: &'a mut Object,
    ) -> BoxFuture<'a, Result<(), Status>> {
        Box::pin(async move {
            let namespace = namespace(attributes).await?;
            let pod = typed(object)?;
            let extra = self.extra(&pod, &namespace, attributes.operation == Operation::Create)?;
            if !extra.is_empty() {
                let own = pod.spec.and_then(|spec| spec.tolerations).unwrap_or_default();
                let merged = taint::merge(own.into_iter().chain(extra).collect());
                let merged = serde_json::to_value(merged).map_err(|error| Status::internal(&error))?;
                object.set_at(&["spec", "tolerations"], merged);
            }
            self.check(&typed(object)?, &namespace)
        })
    }

    fn validate<'a>(
        &'a self,
        attributes: &'a Attributes<'a>,
        object: Option<&'a Object>,
    ) -> BoxFuture<'a, Result<(), Status>> {
        Box::pin(async move {
            let Some(object) = object else { return Ok(()) };
            self.check(&typed(object)?, &namespace(attributes).await?)
        })
    }
}

async fn namespace(attributes: &Attributes<'_>) -> Result<Namespace, Status> {
    let name = attributes.call.namespace();
    let missing = || Status::not_found(&nakhoda_api::GroupResource::new("", "namespaces"), name);
    attributes.find::<Namespace>("", name).await?.ok_or_else(missing)
}

fn typed(object: &Object) -> Result<Pod, Status> {
    object.typed().map_err(|error| Status::internal(&error))
}

/// What an annotation says; `None` if it is not there, nothing if it is empty.
fn annotated(namespace: &Namespace, key: &str) -> Result<Option<Vec<Toleration>>, Status> {
    match namespace.metadata.annotations.as_ref().and_then(|all| all.get(key)) {
        None => Ok(None),
        Some(text) if text.is_empty() => Ok(Some(Vec::new())),
        Some(text) => serde_json::from_str(text).map(Some).map_err(|error| Status::internal(&error)),
    }
}
