//! PodGroupWorkloadExists: a new group that says from which template it was made says the truth.

use futures::future::BoxFuture;
use nakhoda_api::kinds::scheduling_v1beta1::Workload;
use nakhoda_api::{Object, Status};

use super::{Attributes, Operation, Plugin};

/// The plugin.
pub struct PodGroupWorkloadExists;

impl Plugin for PodGroupWorkloadExists {
    fn name(&self) -> &'static str {
        "PodGroupWorkloadExists"
    }

    fn handles(&self, attributes: &Attributes<'_>) -> bool {
        attributes.operation == Operation::Create
            && attributes.is("scheduling.k8s.io", "podgroups")
            && attributes.subresource().is_empty()
    }

    fn validate<'a>(
        &'a self,
        attributes: &'a Attributes<'a>,
        group: Option<&'a Object>,
    ) -> BoxFuture<'a, Result<(), Status>> {
        Box::pin(async move {
            let part = |field| group.and_then(|group| group.str_at(&["spec", "workloadRef", field]));
            let (Some(name), Some(template)) = (part("workloadName"), part("templateName")) else { return Ok(()) };
            let workload = attributes.find::<Workload>(&attributes.call.target.namespace, name).await?;
            fault(workload.as_ref(), name, template)
                .map_or(Ok(()), |why| Err(attributes.forbidden(group, &format!("PodGroup rejected: {why}"))))
        })
    }
}

fn fault(workload: Option<&Workload>, name: &str, template: &str) -> Option<String> {
    let Some(workload) = workload else { return Some(format!("Workload \"{name}\" not found")) };
    if workload.metadata.deletion_timestamp.is_some() {
        return Some(format!("Workload \"{name}\" is being deleted"));
    }
    let known = workload.spec.pod_group_templates.iter().flatten().any(|one| one.name == template);
    (!known).then(|| format!("PodGroupTemplate \"{template}\" not found in Workload \"{name}\""))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::testing::Server;

    #[tokio::test]
    async fn a_group_is_made_from_a_template_that_is_there() {
        let server = Server::start().await;
        let policy = json!({"gang": {"minCount": 2}});
        let templates = json!([{"name": "t", "schedulingPolicy": policy}]);
        let workload = json!({"metadata": {"name": "w"}, "spec": {"podGroupTemplates": templates}});
        server.create("workloads", "default", &workload).await.expect("made");
        let group = |workload: &str, template: &str| {
            json!({"metadata": {"name": "g"}, "spec": {"schedulingPolicy": policy,
                "workloadRef": {"workloadName": workload, "templateName": template}}})
        };
        for (name, template, why) in [
            ("v", "t", "PodGroup rejected: Workload \"v\" not found"),
            ("w", "u", "PodGroup rejected: PodGroupTemplate \"u\" not found in Workload \"w\""),
        ] {
            let refused = server.create("podgroups", "default", &group(name, template)).await.expect_err("refused");
            assert!(refused.message.ends_with(why), "{}", refused.message);
        }
        let made = server.create("podgroups", "default", &group("w", "t")).await.expect("made");
        assert_eq!((&made["spec"]["priority"], &made["apiVersion"]), (&json!(0), &json!("scheduling.k8s.io/v1beta1")));
    }
}
