//! What API servers in containers, which have no route to pods, still reach through the kubelets: logs, exec, a
//! Service by the proxy subresource, a validating webhook that a pod serves.

use std::process::Command;

use anyhow::{Context, Result, ensure};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use nakhoda_tests::app::App;
use nakhoda_tests::command::eventually;
use nakhoda_tests::source::{root, state};

const REFUSED: &str = "the pod says no";

/// All of it.
pub(crate) fn all(app: &App) -> Result<()> {
    let pod = app.pods()?.remove(0).name;
    let host = app.run(&["exec", &pod, "--", "hostname"])?;
    ensure!(host.trim() == pod, "exec told {host}");
    app.run(&["logs", &pod])?;
    let path = format!("/api/v1/namespaces/{}/services/app:80/proxy/", app.namespace);
    let page = raw(&path)?;
    ensure!(page.starts_with("app-"), "services/proxy told {page}");
    webhook(app)
}

/// What a path of the API server answers, as other clients ask for it.
fn raw(path: &str) -> Result<String> {
    let script = r#"
        part() { sed -n "s/^ *$1: //p" "$2"; }
        decoded() { part "$1" "$2" | base64 -d; }
        curl --silent --show-error --cacert <(decoded certificate-authority-data "$1") \
            --cert <(decoded client-certificate-data "$1") --key <(decoded client-key-data "$1") "$(part server "$1")$2""#;
    let kubeconfig = state().join("kubeconfig");
    let output = Command::new("bash").args(["-c", script, "_"]).arg(kubeconfig).arg(path).output()?;
    ensure!(output.status.success(), "{path}: {}", String::from_utf8_lossy(&output.stderr));
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// A webhook that a pod serves refuses what bears a label.
fn webhook(app: &App) -> Result<()> {
    let archive = root().join(".cluster/test-images/python.tar").display().to_string();
    let made = Command::new(root().join("tests/walk/flask-image")).args([&archive, "python:1", "Hello"]).status()?;
    ensure!(made.success(), "tests/walk/flask-image failed");
    app.client.run(&["image", "load", &archive])?;
    let served = rcgen::generate_simple_self_signed([format!("hook.{}.svc", app.namespace)])?;
    let indented = |pem: String| pem.lines().map(|line| format!("    {line}\n")).collect::<String>();
    let text = include_str!("hook.yaml")
        .replace("    CERTIFICATE\n", &indented(served.cert.pem()))
        .replace("    PRIVATE\n", &indented(served.signing_key.serialize_pem()))
        .replace("BUNDLE", &STANDARD.encode(served.cert.pem()))
        .replace("NAMESPACE", &app.namespace)
        .replace("REFUSED", REFUSED);
    app.client.with_input(&["apply", "-n", &app.namespace, "-f", "-"], &text)?;
    app.run(&["rollout", "status", "deployment/hook", "--timeout=60s"])?;
    let wrong =
        r#"{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "wrong", "labels": {"hook": "asked"}}}"#;
    eventually("the webhook's refusal", || {
        let told = app.client.output(&["create", "-n", &app.namespace, "-f", "-"], wrong)?;
        let told = String::from_utf8_lossy(&told.stderr).into_owned();
        ensure!(told.contains(REFUSED), "{told}");
        Ok(())
    })
    .context("a webhook in a pod")?;
    app.client.run(&["delete", "validatingwebhookconfiguration", "compose-hook"])?;
    app.run(&["delete", "deployment", "hook"]).map(drop)
}
