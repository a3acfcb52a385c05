//! nftables: the table's constant part, the text of a change, and the program that applies it.
//!
//! A new connection draws a mark out of 65,536; the endpoints of a port share the marks out among
//! themselves as intervals of a map, so one lookup both finds and balances. (`numgen` inside a
//! concatenated map key is refused by nft 1.0.6.)

pub mod text;

use std::collections::BTreeSet;
use std::process::Stdio;

use tokio::io::AsyncWriteExt;
use tokio::process::Command;

use crate::table::{Difference, Element, Set};

/// The rules cannot be changed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The program cannot be run.
    #[error("cannot run nft; is the package nftables installed?")]
    Run(#[source] std::io::Error),
    /// The program refuses.
    #[error("nft refuses the change: {0}")]
    Refused(String),
}

/// The rules of this node.
pub struct Nft {
    pod_cidr: String,
    timeouts: BTreeSet<u32>,
}

// === impl Nft ===

impl Nft {
    /// Rules of a cluster whose pods have addresses in this range.
    #[must_use]
    pub const fn new(pod_cidr: String) -> Self {
        Self { pod_cidr, timeouts: BTreeSet::new() }
    }

    /// Fails if nftables cannot be used.
    pub async fn probe(&self) -> Result<(), Error> {
        run(&["list", "tables"], "").await.map(drop)
    }

    /// Whether our rules are still there: someone may have flushed them.
    pub async fn is_there(&self) -> bool {
        run(&["list", "chain", "ip", text::TABLE, "translate"], "").await.is_ok_and(|out| out.contains("@addresses"))
    }

    /// Replaces everything in one transaction.
    pub async fn reset(&mut self, elements: &[Element]) -> Result<(), Error> {
        self.timeouts = timeouts(elements).collect();
        let mut script = text::base(&self.pod_cidr, &self.timeouts);
        text::add(&mut script, elements);
        run(&["-f", "-"], &script).await.map(drop)
    }

    /// Applies a difference in one transaction. `all` is what holds afterwards: a timeout of session
    /// affinity that is seen for the first time needs new rules, and so everything anew.
    pub async fn apply(&mut self, difference: &Difference, all: impl FnOnce() -> Vec<Element>) -> Result<(), Error> {
        if !timeouts(&difference.added).all(|t| self.timeouts.contains(&t)) {
            return self.reset(&all()).await;
        }
        let mut script = String::new();
        text::delete(&mut script, &difference.removed);
        text::add(&mut script, &difference.added);
        run(&["-f", "-"], &script).await.map(drop)
    }
}

fn timeouts(elements: &[Element]) -> impl Iterator<Item = u32> {
    elements.iter().filter_map(|e| match e.set {
        Set::StickyAddresses(seconds) | Set::StickyPorts(seconds) => Some(seconds),
        _ => None,
    })
}

async fn run(arguments: &[&str], input: &str) -> Result<String, Error> {
    let mut child = Command::new("nft")
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(Error::Run)?;
    let mut stdin = child.stdin.take().expect("stdin is piped");
    let written = async {
        stdin.write_all(input.as_bytes()).await?;
        stdin.shutdown().await?;
        drop(stdin);
        Ok::<_, std::io::Error>(())
    };
    let (written, output) = tokio::join!(written, child.wait_with_output());
    let output = output.map_err(Error::Run)?;
    if !output.status.success() {
        return Err(Error::Refused(String::from_utf8_lossy(&output.stderr).trim().to_owned()));
    }
    written.map_err(Error::Run)?;
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
