//! CONNECT: a stream to a pod, a service or a node is admitted by its options before it is opened.

use nakhoda_api::{Object, Status};
use serde_json::Value;

use super::{Attributes, Operation};
use crate::request::Connect;
use crate::verb::Call;

/// Options of which any value is a truth.
const FLAGS: [&str; 4] = ["stdin", "stdout", "stderr", "tty"];

/// Lets every plugin change or refuse the options of a stream. Streams that upstream does not have are none of theirs.
pub async fn admit(call: &Call, connect: &mut Connect) -> Result<(), Status> {
    let attributes = Attributes { call, operation: Operation::Connect, old: None, dry_run: false };
    if call.kind.info.sub(&call.target.subresource).and_then(|sub| sub.kind).is_none() {
        return Ok(());
    }
    let given = options(&attributes, connect);
    let mut changed = given.clone();
    call.pipeline.admission().mutate(&attributes, &mut changed).await?;
    call.pipeline.admission().validate(&attributes, Some(&changed)).await?;
    // behind a proxy the query is not the server's
    if changed != given && call.target.subresource != "proxy" {
        connect.parameters = parameters(&changed);
    }
    Ok(())
}

/// `PodExecOptions` and its like, from a query.
fn options(attributes: &Attributes<'_>, connect: &Connect) -> Object {
    let call = attributes.call;
    let mut options = Object::of(&attributes.body_kind(&call.kind.info));
    let root = options.root_mut();
    let mut set = |field: &str, value: Value| drop(root.insert(field.to_owned(), value));
    match call.target.subresource.as_str() {
        "proxy" => {
            if !call.target.path.is_empty() {
                set("path", call.target.path.trim_start_matches('/').into());
            }
        }
        "portforward" => {
            let ports: Vec<Value> = connect
                .all("ports")
                .flat_map(|all| all.split(','))
                .filter_map(|port| port.parse::<i32>().ok())
                .map(Value::from)
                .collect();
            if !ports.is_empty() {
                set("ports", ports.into());
            }
        }
        _ => {
            for flag in FLAGS.into_iter().filter(|flag| connect.flag(flag)) {
                set(flag, true.into());
            }
            if !connect.get("container").is_empty() {
                set("container", connect.get("container").into());
            }
            let command: Vec<Value> = connect.all("command").map(Value::from).collect();
            if !command.is_empty() {
                set("command", command.into());
            }
        }
    }
    options
}

/// Options as a query again.
fn parameters(options: &Object) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let own = options.root().iter().filter(|(field, _)| !["kind", "apiVersion", "path"].contains(&field.as_str()));
    own.flat_map(|(field, value)| match value {
        Value::Array(items) => items.iter().map(|item| (field.clone(), text(item))).collect(),
        other => vec![(field.clone(), text(other))],
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::request::Action;
    use crate::testing::{Server, target};
    use crate::user::User;

    #[tokio::test]
    async fn a_policy_judges_a_stream_by_its_options() {
        let mut server = Server::start().await;
        let version = "admissionregistration.k8s.io/v1";
        let rule =
            json!({"operations": ["CONNECT"], "apiGroups": [""], "apiVersions": ["*"], "resources": ["pods/attach"]});
        let policy = json!({"apiVersion": version, "kind": "ValidatingAdmissionPolicy", "metadata": {"name": "no"}, "spec": {
            "matchConstraints": {"resourceRules": [rule]},
            "validations": [{"expression": "request.kind.kind != 'PodAttachOptions' || !has(object.stdin)", "reason": "Forbidden"}]}});
        server.create("validatingadmissionpolicies", "", &policy).await.expect("a policy");
        let binding = json!({"apiVersion": version, "kind": "ValidatingAdmissionPolicyBinding",
            "metadata": {"name": "no"}, "spec": {"policyName": "no", "validationActions": ["Deny"]}});
        server.create("validatingadmissionpolicybindings", "", &binding).await.expect("a binding");
        for plural in ["validatingadmissionpolicies", "validatingadmissionpolicybindings"] {
            server.names(plural, "", Default::default()).await.expect("a list");
        }
        server.user = User { name: "alice".into(), ..User::default() };
        let attach = |parameters: &[(&str, &str)]| {
            let parameters = parameters.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
            let connect = Connect { method: "post".into(), parameters, plain: false };
            let target = target(server.pipeline.kinds(), "pods/attach", "default", "none");
            server.call(target, Action::Connect(connect))
        };
        let refused = attach(&[("stdin", "true")]).await.err().expect("refused");
        assert!(
            refused.message.starts_with("pods \"none\" is forbidden: ValidatingAdmissionPolicy 'no' with binding"),
            "{refused}"
        );
        assert_eq!(attach(&[("stdout", "true")]).await.err().expect("there is no pod").code, 404);
    }
}
