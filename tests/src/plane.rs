//! The control plane of docker-compose.yml on a dockerd of the suite's own.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::command::{Client, eventually};
use crate::docker::Docker;
use crate::machine::Machine;
use crate::source::{root, state};

const PROJECT: &str = "nakhoda-test";
/// Those that go on: `pki` does its work and ends.
const SERVICES: usize = 11;

/// It, while it runs.
#[derive(Debug)]
pub struct Plane {
    docker: Docker,
    settings: PathBuf,
}

// === impl Plane ===

impl Plane {
    /// Builds the images and starts everything; none where dockerd is not installed.
    pub fn start() -> Result<Option<Self>> {
        let name = state().display().to_string();
        let cgroup = format!("nakhoda-{}/docker", hash(&name)?);
        let Some(docker) = Docker::networked(&cgroup)? else { return Ok(None) };
        // what `scripts/images compose` said; a restore says more
        let settings = state().join("compose.env");
        std::fs::copy(root().join(".cluster/logs/compose.env"), &settings).context("scripts/images compose")?;
        let plane = Self { docker, settings };
        plane.up(&["--build"])?;
        Ok(Some(plane))
    }

    /// `docker-compose up -d`, until every service says that it is well.
    pub fn up(&self, more: &[&str]) -> Result<()> {
        self.compose(&[&["up", "-d"], more].concat())?;
        eventually("every health check", || self.is_well())
    }

    /// Whether every service says that it is well.
    pub fn is_well(&self) -> Result<()> {
        let told = self.docker.run(&["ps", "--format", "{{.Names}} {{.Status}}"])?;
        let well = told.lines().filter(|line| line.contains("(healthy)")).count();
        ensure!(well == SERVICES && told.lines().count() == SERVICES, "{told}");
        Ok(())
    }

    /// What `ctl token create` prints, without the program's name.
    pub fn line(&self) -> Result<Vec<String>> {
        let told = Client::ctl().run(&["token", "create"])?;
        let words = told.trim().strip_prefix("kubelet ").context("a line to join by")?;
        Ok(words.split(' ').map(str::to_owned).collect())
    }

    /// Two machines join by it.
    pub fn join(&self) -> Result<[Machine; 2]> {
        let line = self.line()?;
        let words: Vec<&str> = line.iter().map(String::as_str).collect();
        let join = |node: &str| {
            let mut machine = Machine::new(node)?;
            machine.start(&words)?;
            anyhow::Ok(machine)
        };
        let mut machines = [join("node-1")?, join("node-2")?];
        eventually("both nodes to join", || {
            machines.iter_mut().try_for_each(Machine::revive)?;
            nodes_are_ready()
        })?;
        Ok(machines)
    }

    /// Runs docker-compose.
    pub fn compose(&self, arguments: &[&str]) -> Result<String> {
        let settings = self.settings.display().to_string();
        let arguments = [&["--env-file", &settings], arguments].concat();
        self.docker.program("docker-compose", &arguments, &[("COMPOSE_PROJECT_NAME", PROJECT)])
    }

    /// Runs a script that runs docker-compose.
    pub fn script(&self, name: &str, arguments: &[&str]) -> Result<String> {
        let settings = self.settings.display().to_string();
        self.docker.program(name, arguments, &[("COMPOSE_PROJECT_NAME", PROJECT), ("ENV_FILE", &settings)])
    }

    /// The administrator's kubeconfig, as the README takes it.
    pub fn kubeconfig(&self) -> Result<()> {
        let container = self.container("apiserver-1")?;
        let file = state().join("kubeconfig").display().to_string();
        self.docker.run(&["cp", &format!("{container}:/pki/admin.conf"), &file]).map(drop)
    }

    fn container(&self, service: &str) -> Result<String> {
        let [project, service] = [("project", PROJECT), ("service", service)]
            .map(|(what, name)| format!("label=com.docker.compose.{what}={name}"));
        let told = self.docker.run(&["ps", "-q", "--filter", &project, "--filter", &service])?;
        told.lines().next().map(str::to_owned).with_context(|| format!("no container has {service}"))
    }

    /// The process of a service, as the suite sees it.
    pub fn pid(&self, service: &str) -> Result<String> {
        let told =
            self.docker.run(&["inspect", "-f", "{{.State.Pid}} {{.State.Running}}", &self.container(service)?])?;
        let (pid, running) = told.trim().split_once(' ').context("two words")?;
        ensure!(running == "true" && pid != "0", "{service} does not run");
        Ok(pid.to_owned())
    }

    /// Kills a service without a word; waits until docker has started it again.
    pub fn kill(&self, service: &str) -> Result<()> {
        let old = self.pid(service)?;
        signal("KILL", &old)?;
        eventually(&format!("{service} to be started again"), || {
            ensure!(self.pid(service)? != old, "still the old one");
            Ok(())
        })
    }

    /// Which service's container has this host name, as leaders are called.
    pub fn service(&self, host: &str) -> Result<String> {
        let told =
            self.docker.run(&["ps", "--no-trunc", "--format", "{{.ID}} {{.Label \"com.docker.compose.service\"}}"])?;
        let found = told.lines().filter_map(|line| line.split_once(' ')).find(|(id, _)| id.starts_with(host));
        found.map(|(_, service)| service.to_owned()).with_context(|| format!("no container is called {host}"))
    }

    /// Who leads, of etcd's members or of `kube-scheduler`, `kube-controller-manager`.
    pub fn leader(&self, what: &str) -> Result<String> {
        let told = Client::ctl().output(&["cluster", "status"], "")?.stdout;
        let told = String::from_utf8_lossy(&told).into_owned();
        let lines = || told.lines().filter(|line| line.trim_end().ends_with("leads"));
        let mut words = lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
        let found = words.find(|words| words[0].starts_with(what)).with_context(|| format!("nobody leads: {told}"))?;
        if what == "etcd" { Ok(found[0].to_owned()) } else { self.service(found[1]) }
    }

    /// Everything that docker keeps of the project.
    pub fn left(&self) -> Result<String> {
        let label = format!("label=com.docker.compose.project={PROJECT}");
        let lists = [
            vec!["ps", "-aq", "--filter", &label],
            vec!["volume", "ls", "-q", "--filter", &label],
            vec!["network", "ls", "-q", "--filter", &label],
        ];
        lists.iter().map(|list| self.docker.run(list)).collect()
    }

    /// What the services told, for the reader of a failure.
    pub fn logs(&self) -> String {
        self.compose(&["logs", "--no-color", "--tail=25"]).unwrap_or_else(|error| format!("{error:#}"))
    }
}

/// Whether both nodes are Ready and their kubelets can be asked.
pub fn nodes_are_ready() -> Result<()> {
    let nodes = Client::ctl().run(&["get", "nodes"])?;
    ensure!(nodes.matches(" Ready").count() == 2, "{nodes}");
    Client::ctl().run(&["image", "ls"]).map(drop)
}

/// Sends a signal.
pub fn signal(name: &str, pid: &str) -> Result<()> {
    ensure!(Command::new("kill").args([&format!("-{name}"), pid]).status()?.success(), "kill -{name} {pid}");
    Ok(())
}

/// As the scripts call this cluster.
fn hash(state: &str) -> Result<String> {
    let script = "printf %s \"$1\" | sha256sum | cut -c1-8";
    let output = Command::new("bash").args(["-c", script, "_", state]).output()?;
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}
