//! Load beside a suite's faults: one client writes and another asks a Service, until they are told to stop; what was
//! acknowledged, and for how long nothing was.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::{Result, bail, ensure};

use crate::command::Client;
use crate::machine;

/// A pause between two requests.
const PAUSE: Duration = Duration::from_millis(100);

/// Creates ConfigMaps, each until it is acknowledged.
#[derive(Debug)]
pub struct Writer {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<Written>,
}

/// What a writer did.
#[derive(Clone, Debug, Default)]
pub struct Written {
    /// The names of what is there now.
    pub names: Vec<String>,
    /// The longest time between two that were acknowledged.
    pub gap: Duration,
    /// Why requests failed that were made again.
    pub failures: Vec<String>,
}

/// Asks a URL from a machine's network, each time on a new connection.
#[derive(Debug)]
pub struct Asker {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<(usize, Vec<String>)>,
}

// === impl Writer ===

impl Writer {
    /// Begins in a namespace.
    #[must_use]
    pub fn start(client: &Client, namespace: &str) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let (client, namespace, stopped) = (client.clone(), namespace.to_owned(), stop.clone());
        let thread = std::thread::spawn(move || {
            let (mut written, mut last) = (Written::default(), Instant::now());
            while !stopped.load(Ordering::Relaxed) {
                let name = format!("written-{}", written.names.len());
                match client.run(&["create", "configmap", &name, "-n", &namespace]) {
                    // The answer to the try before was lost, not the write.
                    Err(error) if !error.to_string().contains("already exists") => {
                        written.failures.push(error.to_string());
                    }
                    _ => {
                        written.gap = written.gap.max(last.elapsed());
                        last = Instant::now();
                        written.names.push(name);
                    }
                }
                std::thread::sleep(PAUSE);
            }
            written.gap = written.gap.max(last.elapsed());
            written
        });
        Self { stop, thread }
    }

    /// Stops.
    pub fn end(self) -> Result<Written> {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().or_else(|_| bail!("the writer panicked"))
    }
}

impl Written {
    /// Whether all that was acknowledged is there.
    pub fn is_there(&self, client: &Client, namespace: &str) -> Result<()> {
        let listed = client.run(&["get", "configmaps", "-n", namespace, "-o", "name"])?;
        let there: std::collections::HashSet<&str> = listed.lines().filter_map(|l| l.split('/').nth(1)).collect();
        let lost: Vec<&String> = self.names.iter().filter(|name| !there.contains(name.as_str())).collect();
        ensure!(lost.is_empty(), "acknowledged writes are lost: {lost:?}");
        Ok(())
    }
}

// === impl Asker ===

impl Asker {
    /// Begins.
    #[must_use]
    pub fn start(node: &str, url: &str) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let (node, url, stopped) = (node.to_owned(), url.to_owned(), stop.clone());
        let thread = std::thread::spawn(move || {
            let (mut asked, mut failures) = (0, Vec::new());
            while !stopped.load(Ordering::Relaxed) {
                asked += 1;
                if let Err(error) = ask(&node, &url) {
                    failures.push(format!("{error:#}"));
                }
                std::thread::sleep(PAUSE);
            }
            (asked, failures)
        });
        Self { stop, thread }
    }

    /// Stops: how often it asked, and what failed.
    pub fn end(self) -> Result<(usize, Vec<String>)> {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().or_else(|_| bail!("the asker panicked"))
    }
}

/// What a URL answers to a machine.
pub fn ask(node: &str, url: &str) -> Result<String> {
    let output = machine::inside(node, "timeout").args(["20", "busybox", "wget", "-q", "-O", "-", url]).output()?;
    ensure!(output.status.success(), "{url}: {}", String::from_utf8_lossy(&output.stderr));
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
