//! What the kernel tells of a server's process.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Context, Result};
use tokio::task::JoinHandle;

const LOOK: Duration = Duration::from_millis(5);

/// A server's process on this machine.
#[derive(Clone, Copy)]
pub(crate) struct Process(pub(crate) u32);

/// The most that a process holds while something happens.
pub(crate) struct Peak {
    stop: Arc<AtomicBool>,
    task: JoinHandle<Result<f64>>,
}

// === impl Peak ===

impl Peak {
    /// Looks every few milliseconds.
    pub(crate) fn follow(process: Process) -> Self {
        let stop = Arc::<AtomicBool>::default();
        let stopped = stop.clone();
        let task = tokio::spawn(async move {
            let mut most = 0.0_f64;
            while !stopped.load(Ordering::Relaxed) {
                most = most.max(process.resident()?);
                tokio::time::sleep(LOOK).await;
            }
            Ok(most)
        });
        Self { stop, task }
    }

    /// In MiB.
    pub(crate) async fn end(self) -> Result<f64> {
        self.stop.store(true, Ordering::Relaxed);
        self.task.await?
    }
}

// === impl Process ===

impl Process {
    /// Resident memory in MiB.
    pub(crate) fn resident(self) -> Result<f64> {
        let text = std::fs::read_to_string(format!("/proc/{}/status", self.0)).context("the server's process")?;
        let line = text.lines().find_map(|l| l.strip_prefix("VmRSS:")).context("VmRSS")?;
        let kib: f64 = line.trim().trim_end_matches(" kB").trim().parse()?;
        Ok(kib / 1024.0)
    }

    /// Processor time so far. Ticks are hundredths of a second on every Linux.
    pub(crate) fn cpu(self) -> Result<Duration> {
        let text = std::fs::read_to_string(format!("/proc/{}/stat", self.0)).context("the server's process")?;
        let (_, rest) = text.rsplit_once(')').context("a process's state")?;
        let ticks = rest.split_whitespace().skip(11).take(2).map(str::parse::<u64>);
        let ticks: u64 = ticks.sum::<Result<u64, _>>()?;
        Ok(Duration::from_millis(ticks * 10))
    }
}
