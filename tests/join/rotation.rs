//! Certificates that live half a minute: both are renewed before they end, and the node is Ready under the new ones.

use std::fs::read_to_string;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use nakhoda_tests::command::eventually;
use nakhoda_tests::machine::Machine;
use nakhoda_tests::service;

const LIFE: u64 = 30;

/// The controller-manager that signs for so short a time, in place of the cluster's until it goes.
struct Signer(Child);

// === impl Signer ===

impl Signer {
    fn start() -> Result<Self> {
        let pid = service::pid("controller-manager")?;
        let line = read_to_string(format!("/proc/{pid}/cmdline"))?;
        let mut words = line.trim_end_matches('\0').split('\0');
        let program = words.next().context("a program")?;
        service::pause("controller-manager")?;
        let mut command = Command::new(program);
        command.args(words).args(["--cluster-signing-duration", &format!("{LIFE}s")]);
        Ok(Self(command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn()?))
    }
}

impl Drop for Signer {
    fn drop(&mut self) {
        let ended = Command::new("kill").arg(self.0.id().to_string()).status().and_then(|_| self.0.wait());
        if let Err(error) = ended.map_err(Into::into).and_then(|_| service::resume("controller-manager")) {
            eprintln!("the cluster's controller-manager may not run: {error:#}");
        }
    }
}

/// Joins, waits for the renewal and the end of the first certificates, and starts anew without a token.
pub(crate) fn renewed(machine: &mut Machine) -> Result<()> {
    let signer = Signer::start()?;
    crate::join(machine)?;
    let files = ["client.crt", "serving.crt"].map(|file| machine.folder().join("pki").join(file));
    let read = || files.iter().map(read_to_string).collect::<Result<Vec<_>, _>>();
    let (first, end) = (read()?, Instant::now() + Duration::from_secs(LIFE));
    eventually("both certificates to be renewed", || {
        let now = read()?;
        ensure!(first.iter().zip(&now).all(|(old, new)| old != new), "the first are still there");
        Ok(())
    })?;
    eprintln!("renewed {:.0} s before the first certificates end", (end - Instant::now()).as_secs_f64());
    std::thread::sleep(end.saturating_duration_since(Instant::now()));
    crate::ready()?;
    machine.stop()?;
    machine.start(&["--apiserver", "https://172.30.93.1:6443"])?;
    crate::ready()?;
    machine.stop()?;
    drop(signer);
    crate::forget()
}
