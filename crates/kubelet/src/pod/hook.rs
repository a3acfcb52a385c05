//! Lifecycle hooks: what runs after a container's start and before its stop.

use std::time::Duration;

use k8s_openapi::api::core::v1::{LifecycleHandler, Pod};

use super::spec;
use crate::cri::Cri;
use crate::probe::check::{self, Target};
use crate::probe::http;

/// Upstream gives HTTP hooks no limit of their own; the grace period ends those before a stop.
const HTTP: Duration = Duration::from_secs(60);

/// Runs a hook; the error is upstream's text.
pub async fn run(cri: &Cri, pod: &Pod, target: &Target, handler: &LifecycleHandler) -> Result<(), String> {
    let of = format!("for Container {:?} in Pod {:?} failed - error", target.container.name, spec::full_name(pod));
    if let Some(exec) = &handler.exec {
        let command = exec.command.clone().unwrap_or_default();
        let words = command.join(" ");
        let text = |error: String, output: String| {
            format!("Exec lifecycle hook ([{words}]) {of}: {error}, message: {output:?}")
        };
        return match cri.exec_sync(&target.id, command, 0).await {
            Ok(done) if done.exit_code == 0 => Ok(()),
            Ok(done) => {
                let output = String::from_utf8_lossy(&[done.stdout, done.stderr].concat()).into_owned();
                Err(text(format!("command '{words}' exited with {}: {output}", done.exit_code), output))
            }
            Err(error) => Err(text(error.status.message().into(), String::new())),
        };
    }
    if let Some(action) = &handler.http_get {
        let path = action.path.as_deref().unwrap_or_default();
        let request = check::request(target, action, "kube-lifecycle/1.37");
        let asked = match request {
            Ok(request) => http::get(&request, HTTP).await.map(drop),
            Err(why) => Err(why),
        };
        return asked.map_err(|error| format!("HTTP lifecycle hook ({path}) {of}: {error}"));
    }
    if let Some(sleep) = &handler.sleep {
        tokio::time::sleep(Duration::from_secs(sleep.seconds.unsigned_abs())).await;
        return Ok(());
    }
    Err("Cannot run handler: invalid handler".into())
}
