//! A dockerd of the suite's own: no bridge, no rules, everything in one folder that goes with it.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, ensure};
use nakhoda_tests::command::eventually;

/// A dockerd that runs.
pub(crate) struct Docker {
    folder: PathBuf,
    child: Child,
}

// === impl Docker ===

impl Docker {
    /// Starts one; none if it is not installed.
    pub(crate) fn start() -> Result<Option<Self>> {
        let folder = std::env::temp_dir().join(format!("nakhoda-dockerd-{}", std::process::id()));
        std::fs::create_dir_all(&folder)?;
        let at = |name: &str| folder.join(name).display().to_string();
        let started = Command::new("dockerd")
            .args(["--bridge=none", "--iptables=false", "--ip6tables=false"])
            .args(["--data-root", &at("data"), "--exec-root", &at("exec"), "--pidfile", &at("pid")])
            .args(["--host", &format!("unix://{}", at("sock"))])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(std::fs::File::create(folder.join("log"))?)
            .spawn();
        let child = match started {
            Ok(child) => child,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error).context("dockerd"),
        };
        let docker = Self { folder, child };
        eventually("dockerd to answer", || docker.run(&["version"]).map(drop))?;
        Ok(Some(docker))
    }

    /// What a client needs to find it.
    pub(crate) fn host(&self) -> String {
        format!("unix://{}", self.folder.join("sock").display())
    }

    /// Runs docker; its output if it succeeds.
    pub(crate) fn run(&self, arguments: &[&str]) -> Result<String> {
        let output = Command::new("docker").env("DOCKER_HOST", self.host()).args(arguments).output()?;
        let error = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "docker {}: {error}", arguments.join(" "));
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// Runs a shell's pipe in which `docker` speaks to it: whether it succeeded, and all that it told.
    pub(crate) fn pipe(&self, script: &str) -> Result<(bool, String)> {
        let output = Command::new("bash")
            .env("DOCKER_HOST", self.host())
            .current_dir(nakhoda_tests::source::root())
            .args(["-c", &format!("set -o pipefail; PATH=.cluster/bin:$PATH; {script}")])
            .env("KUBECONFIG", nakhoda_tests::source::root().join(".cluster/kubeconfig"))
            .output()?;
        let told = [output.stdout, output.stderr].concat();
        Ok((output.status.success(), String::from_utf8_lossy(&told).into_owned()))
    }
}

impl Drop for Docker {
    fn drop(&mut self) {
        let ended = Command::new("kill").arg(self.child.id().to_string()).status();
        if ended.and_then(|_| self.child.wait()).is_err() {
            eprintln!("dockerd {} may still run", self.child.id());
        }
        drop(std::fs::remove_dir_all(&self.folder));
    }
}
