//! A dockerd of a suite's own: everything in one folder that goes with it. Without a network of its own it makes no
//! bridge and no rules.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use crate::command::eventually;
use crate::source::{root, state};
use anyhow::{Context, Result, ensure};

/// A dockerd that runs.
#[derive(Debug)]
pub struct Docker {
    folder: PathBuf,
    child: Child,
}

// === impl Docker ===

impl Docker {
    /// Starts one that builds images; none if it is not installed.
    pub fn start() -> Result<Option<Self>> {
        Self::launch(&["--bridge=none", "--iptables=false", "--ip6tables=false"])
    }

    /// Starts one that runs containers on a network; the suite must have a network namespace of its own. Its control
    /// groups are below `cgroup`.
    pub fn networked(cgroup: &str) -> Result<Option<Self>> {
        Self::launch(&["--cgroup-parent", cgroup])
    }

    fn launch(arguments: &[&str]) -> Result<Option<Self>> {
        // By the checkout: in a namespace of their own, processes of all suites have the same few numbers. Sockets lie
        // in it, so its path must be short.
        let mut hash = DefaultHasher::new();
        (state(), std::process::id()).hash(&mut hash);
        let folder = std::env::temp_dir().join(format!("nakhoda-dockerd-{:08x}", hash.finish() as u32));
        if folder.exists() {
            std::fs::remove_dir_all(&folder).context("what a suite left that was killed")?;
        }
        std::fs::create_dir_all(&folder)?;
        let at = |name: &str| folder.join(name).display().to_string();
        let started = Command::new("dockerd")
            .args(arguments)
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
    pub fn host(&self) -> String {
        format!("unix://{}", self.folder.join("sock").display())
    }

    /// Runs docker; its output if it succeeds.
    pub fn run(&self, arguments: &[&str]) -> Result<String> {
        self.program("docker", arguments, &[])
    }

    /// The same with another client of it, and settings in its environment.
    pub fn program(&self, program: &str, arguments: &[&str], settings: &[(&str, &str)]) -> Result<String> {
        let mut command = Command::new(program);
        command.current_dir(root()).env("DOCKER_HOST", self.host()).envs(settings.iter().copied());
        let output = command.args(arguments).stdin(Stdio::null()).output().with_context(|| program.to_owned())?;
        let error = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "{program} {}: {error}", arguments.join(" "));
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// Runs a shell's pipe in which `docker` speaks to it: whether it succeeded, and all that it told.
    pub fn pipe(&self, script: &str) -> Result<(bool, String)> {
        let output = Command::new("bash")
            .env("DOCKER_HOST", self.host())
            .current_dir(root())
            .args(["-c", &format!("set -o pipefail; PATH=.cluster/bin:$PATH; {script}")])
            .env("KUBECONFIG", state().join("kubeconfig"))
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
