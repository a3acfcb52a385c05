//! The supervised daemons of the running cluster, by the functions that the scripts have for them.

use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::source::root;

/// The process of a service.
pub fn pid(service: &str) -> Result<String> {
    let pid = shell("service_pid", service)?;
    ensure!(!pid.is_empty() && pid != "0", "{service} does not run");
    Ok(pid)
}

/// Ends a service until [`resume`].
pub fn pause(service: &str) -> Result<()> {
    shell("pause_service", service).map(drop)
}

/// Starts one that was paused.
pub fn resume(service: &str) -> Result<()> {
    shell("resume_service", service).map(drop)
}

fn shell(function: &str, service: &str) -> Result<String> {
    let script = r#". scripts/lib/common.sh; . scripts/lib/services.sh; "$@""#;
    let output = Command::new("bash").current_dir(root()).args(["-c", script, "_", function, service]).output()?;
    ensure!(output.status.success(), "{function} {service}: {}", String::from_utf8_lossy(&output.stderr));
    Ok(String::from_utf8(output.stdout).context("a number")?.trim().to_owned())
}
