//! Machines that join the running cluster by themselves: each a network namespace on the cluster's bridge, and a
//! kubelet in it.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, ensure};

use crate::source::{root, state};

const PARTS: &str =
    ". scripts/lib/common.sh; for part in network services node; do . scripts/lib/$part.sh; done; \"$@\"";

/// One of them. Everything of it goes with it.
#[derive(Debug)]
pub struct Machine {
    /// `node-4`, …: what its address and its folders follow from.
    pub node: String,
    /// What the scripts are told by their environment.
    pub settings: Vec<(&'static str, String)>,
    kubelet: Option<Child>,
    words: Vec<String>,
}

/// A kubelet that runs to its end.
#[derive(Clone, Debug)]
pub struct Attempt {
    /// The words of its command line.
    pub words: Vec<String>,
    /// The name under which it joins.
    pub name: String,
    /// `NAME=VALUE`, or nothing.
    pub environment: String,
}

// === impl Machine ===

impl Machine {
    /// A machine that is on the network and runs nothing.
    pub fn new(node: &str) -> Result<Self> {
        script(&["make_node_network", node])?;
        Ok(Self { node: node.into(), settings: Vec::new(), kubelet: None, words: Vec::new() })
    }

    /// Where its kubelet keeps things.
    #[must_use]
    pub fn folder(&self) -> PathBuf {
        state().join(&self.node)
    }

    /// Runs its kubelet until it ends, at most 20 s: its exit code, and what it told.
    pub fn fails(&self, attempt: &Attempt) -> Result<(Option<i32>, String)> {
        let mut command = bash(&["join_node", &self.node, &attempt.name], "timeout");
        command.args(&attempt.words).env("KUBELET_ENV", &attempt.environment);
        let output = command.output()?;
        Ok((output.status.code(), String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned()))
    }

    /// Starts its kubelet.
    pub fn start(&mut self, words: &[&str]) -> Result<()> {
        let path = state().join(format!("logs/kubelet-{}.log", self.node));
        let log = std::fs::OpenOptions::new().create(true).append(true).open(path)?;
        let mut command = bash(&["join_node", &self.node, &self.node], "bash");
        command.args(words).envs(self.settings.iter().cloned()).stdout(log.try_clone()?).stderr(log);
        self.kubelet = Some(command.spawn().context("bash")?);
        self.words = words.iter().map(|&word| word.to_owned()).collect();
        Ok(())
    }

    /// Starts its kubelet again if it has ended, as a supervisor does.
    pub fn revive(&mut self) -> Result<()> {
        match self.kubelet.as_mut().map(Child::try_wait).transpose()?.flatten() {
            None => Ok(()),
            Some(_) => self.start_again(),
        }
    }

    fn start_again(&mut self) -> Result<()> {
        let words = self.words.clone();
        self.start(&words.iter().map(String::as_str).collect::<Vec<_>>())
    }

    /// Kills its kubelet without a word, and starts it again.
    pub fn kill(&mut self) -> Result<()> {
        let mut kubelet = self.kubelet.take().context("it runs no kubelet")?;
        kubelet.kill()?;
        kubelet.wait()?;
        self.start_again()
    }

    /// Ends its kubelet as a supervisor does.
    pub fn stop(&mut self) -> Result<()> {
        let mut kubelet = self.kubelet.take().context("it runs no kubelet")?;
        ensure!(Command::new("kill").arg(kubelet.id().to_string()).status()?.success(), "kill");
        kubelet.wait()?;
        Ok(())
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        if let Err(error) = script(&["remove_node", &self.node]) {
            eprintln!("{} may be left: {error:#}", self.node);
        }
        if let Some(mut kubelet) = self.kubelet.take() {
            drop(kubelet.wait());
        }
    }
}

/// The bridge between machines, where there is no cluster of `scripts/up`.
pub fn network() -> Result<()> {
    script(&["make_network"])
}

/// A program that a machine runs, in its network.
#[must_use]
pub fn inside(node: &str, program: &str) -> Command {
    let mut command = Command::new("nsenter");
    command.arg(format!("--net=/run/netns/nakhoda-{node}")).arg(program).stdin(Stdio::null());
    command
}

/// Runs a function of the scripts.
fn script(words: &[&str]) -> Result<()> {
    let output = bash(words, "bash").output()?;
    ensure!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
    Ok(())
}

fn bash(words: &[&str], program: &str) -> Command {
    let mut command = Command::new(program);
    if program == "timeout" {
        command.args(["20", "bash"]);
    }
    command.current_dir(root()).args(["-c", PARTS, "_"]).args(words).stdin(Stdio::null());
    command
}
