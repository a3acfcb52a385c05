//! Programs of the cluster and its clients, run and judged.

use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::source::{root, state};

/// A client of the cluster: `ctl`, or a kubectl of some version.
#[derive(Clone, Debug)]
pub struct Client {
    /// Its path.
    pub program: PathBuf,
    /// Shown in failures.
    pub name: String,
    /// As whom it speaks.
    pub kubeconfig: PathBuf,
}

// === impl Client ===

impl Client {
    /// The cluster's own command line.
    #[must_use]
    pub fn ctl() -> Self {
        Self { program: root().join(".cluster/bin/ctl"), name: "ctl".into(), kubeconfig: admin() }
    }

    /// The same in another's name.
    #[must_use]
    pub fn identity(self, kubeconfig: PathBuf) -> Self {
        Self { kubeconfig, ..self }
    }

    /// The kubectls to test with: those that `KUBECTLS` names, else the oldest and the newest that are here.
    #[must_use]
    pub fn kubectls() -> Vec<Self> {
        let named: Vec<PathBuf> = match std::env::var("KUBECTLS") {
            Ok(list) => list.split(':').filter(|p| !p.is_empty()).map(PathBuf::from).collect(),
            Err(_) => ends(found()),
        };
        let client = |program: PathBuf| Self {
            name: program.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default(),
            program,
            kubeconfig: admin(),
        };
        named.into_iter().map(client).collect()
    }

    /// Runs it to its end.
    pub fn output(&self, arguments: &[&str], input: &str) -> Result<Output> {
        use std::io::Write;
        let mut child = Command::new(&self.program)
            .arg("--kubeconfig")
            .arg(&self.kubeconfig)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot run {}", self.program.display()))?;
        child.stdin.take().context("stdin is piped")?.write_all(input.as_bytes()).or_else(|error| {
            // A program that does not read its input may have closed it.
            if error.kind() == std::io::ErrorKind::BrokenPipe { Ok(()) } else { Err(error) }
        })?;
        Ok(child.wait_with_output()?)
    }

    /// Its output if it succeeds.
    pub fn run(&self, arguments: &[&str]) -> Result<String> {
        self.with_input(arguments, "")
    }

    /// The same with an input.
    pub fn with_input(&self, arguments: &[&str], input: &str) -> Result<String> {
        let output = self.output(arguments, input)?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        if !output.status.success() {
            let error = String::from_utf8_lossy(&output.stderr);
            bail!("{} {}: {}\n{text}{error}", self.name, arguments.join(" "), output.status);
        }
        Ok(text)
    }

    /// Runs it until its output holds a text.
    pub fn until(&self, arguments: &[&str], wanted: &str) -> Result<String> {
        eventually(&format!("{} {} to tell {wanted:?}", self.name, arguments.join(" ")), || {
            let text = self.run(arguments)?;
            if text.contains(wanted) { Ok(text) } else { bail!("it told {text:?}") }
        })
    }
}

/// Tries until it succeeds; gives up after a minute, which no wait here needs unless something is broken.
pub fn eventually<T>(what: &str, mut attempt: impl FnMut() -> Result<T>) -> Result<T> {
    let end = Instant::now() + Duration::from_secs(60);
    loop {
        match attempt() {
            Ok(value) => return Ok(value),
            Err(error) if Instant::now() > end => return Err(error.context(format!("waited for {what}"))),
            Err(_) => std::thread::sleep(Duration::from_millis(100)),
        }
    }
}

fn admin() -> PathBuf {
    state().join("kubeconfig")
}

/// The first and the last.
fn ends(mut all: Vec<PathBuf>) -> Vec<PathBuf> {
    if all.len() > 2 {
        all.drain(1..all.len() - 1);
    }
    all
}

fn found() -> Vec<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    folders.extend(["/usr/lib/google-cloud-sdk/bin", "/root/google-cloud-sdk/bin"].map(PathBuf::from));
    let mut found: Vec<PathBuf> = Vec::new();
    for folder in folders {
        let Ok(entries) = std::fs::read_dir(folder) else { continue };
        let names = entries.filter_map(Result::ok).map(|e| e.path());
        let versioned = |p: &PathBuf| p.file_name().is_some_and(|n| n.to_string_lossy().starts_with("kubectl.1."));
        found.extend(names.filter(versioned));
    }
    found.sort();
    found.dedup_by(|a, b| a.file_name() == b.file_name());
    found
}
