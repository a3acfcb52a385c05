//! A small app for the cluster's suites: busybox answering with the name of its pod.

use anyhow::{Result, ensure};

use crate::command::{Client, eventually};
use crate::source::root;

/// A Deployment in a namespace of its own, removed at the end.
pub struct App {
    /// Who drives it.
    pub client: Client,
    /// Where it is.
    pub namespace: String,
}

/// One pod of it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Pod {
    /// Its name.
    pub name: String,
    /// Where it runs.
    pub node: String,
    /// Its address.
    pub address: String,
    /// How often its container was started again.
    pub restarts: String,
}

// === impl App ===

impl App {
    /// Starts it with so many pods, spread over the nodes, and waits until they are ready.
    pub fn start(namespace: &str, replicas: usize) -> Result<Self> {
        let client = Client::ctl();
        load()?;
        client.run(&["create", "namespace", namespace])?;
        let app = Self { client, namespace: namespace.into() };
        app.apply(replicas, "one")?;
        app.ready(replicas)?;
        Ok(app)
    }

    /// Writes the Deployment and its Service; another `version` makes a rollout.
    pub fn apply(&self, replicas: usize, version: &str) -> Result<()> {
        let text = include_str!("app.yaml").replace("REPLICAS", &replicas.to_string()).replace("VERSION", version);
        self.client.with_input(&["apply", "-n", &self.namespace, "-f", "-"], &text).map(drop)
    }

    /// Waits until exactly so many pods are there and all of them are ready.
    pub fn ready(&self, replicas: usize) -> Result<Vec<Pod>> {
        self.run(&["rollout", "status", "deployment/app", "--timeout=120s"])?;
        eventually("as many pods as replicas", || {
            let pods = self.pods()?;
            ensure!(pods.len() == replicas, "{pods:?}");
            Ok(pods)
        })
    }

    /// Its pods.
    pub fn pods(&self) -> Result<Vec<Pod>> {
        let path = r#"jsonpath={range .items[*]}{.metadata.name} {.spec.nodeName} {.status.podIP} {.status.containerStatuses[0].restartCount}{"\n"}{end}"#;
        let text = self.run(&["get", "pods", "-l", "app=app", "-o", path])?;
        let pod = |line: &str| {
            let mut words = line.split(' ').map(str::to_owned);
            let mut next = || words.next().unwrap_or_default();
            Pod { name: next(), node: next(), address: next(), restarts: next() }
        };
        let mut pods: Vec<Pod> = text.lines().map(pod).collect();
        pods.sort();
        Ok(pods)
    }

    /// Runs the client in its namespace.
    pub fn run(&self, arguments: &[&str]) -> Result<String> {
        let split = arguments.iter().position(|a| *a == "--").unwrap_or(arguments.len());
        let (before, after) = arguments.split_at(split);
        self.client.run(&[before, &["-n", &self.namespace], after].concat())
    }

    /// Removes it.
    pub fn end(self) -> Result<()> {
        self.client.run(&["delete", "namespace", &self.namespace]).map(drop)
    }
}

/// Makes the app's image, and loads it onto all nodes.
pub fn load() -> Result<()> {
    let archive = root().join(".cluster/test-images/app.tar");
    let path = archive.to_string_lossy().into_owned();
    let made = std::process::Command::new(root().join("tests/app-image")).arg(&path).status()?;
    ensure!(made.success(), "tests/app-image failed");
    Client::ctl().run(&["image", "load", &path]).map(drop)
}
