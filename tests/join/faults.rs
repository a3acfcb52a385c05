//! What can be wrong when a machine joins: each ends with one line that names the cause.

use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use nakhoda_tests::machine::{Attempt, Machine};

/// What is done to the line (`FLAG VALUE`) or to the environment (`NAME=VALUE`), and what must be told.
const CASES: &[(&str, &str)] = &[
    ("--token wrong", "--token: its secret is wrong"),
    ("--token expired", "does not know this token, or its time is over"),
    ("--ca-hash sha256:00", "--ca-hash: the authority of this cluster is another"),
    ("--apiserver https://172.30.93.200:6443", "--apiserver https://172.30.93.200:6443 "),
    ("--apiserver https://172.30.93.1:6444", "--apiserver https://172.30.93.1:6444 cannot be asked"),
    ("name node-1", "node node-1 exists already; give this machine another name, or free the name"),
    ("--cni-bin-dir /nowhere", "/nowhere has no CNI plugin bridge"),
    ("PATH=/nowhere", "no containerd in its PATH"),
    ("LD_PRELOAD=clock", "the clock of this machine is 60 minutes ahead of the cluster's"),
];

/// A clock that is an hour ahead, for one process.
const CLOCK: &str = r"
#define _GNU_SOURCE
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
int clock_gettime(clockid_t id, struct timespec *at) {
    int failed = (int)syscall(SYS_clock_gettime, id, at);
    if (!failed && id == CLOCK_REALTIME) at->tv_sec += 3600;
    return failed;
}
";

/// Every case.
pub(crate) fn told(machine: &Machine) -> Result<()> {
    let good = crate::line(&[])?;
    let expired = expired()?;
    let clock = clock()?;
    for (change, wanted) in CASES {
        let start = Instant::now();
        let (code, told) = machine.fails(&attempt(machine, change, &good, &expired, &clock)?)?;
        eprintln!("{change}: {:.1} s", start.elapsed().as_secs_f64());
        ensure!(code == Some(1), "{change}: {code:?} {told}");
        ensure!(told.matches(" ERROR ").count() == 1 && told.contains(wanted), "{change}: {told}");
    }
    std::fs::remove_file(clock)?;
    Ok(())
}

fn attempt(machine: &Machine, change: &str, good: &[String], expired: &[String], clock: &str) -> Result<Attempt> {
    let mut attempt = Attempt { words: good.to_vec(), name: machine.node.clone(), environment: String::new() };
    match change.split_once(' ') {
        Some(("name", name)) => attempt.name = name.into(),
        Some(("--token", "expired")) => attempt.words = expired.to_vec(),
        Some((flag, value)) => set(&mut attempt.words, flag, value),
        None => attempt.environment = change.replace("LD_PRELOAD=clock", &format!("LD_PRELOAD={clock}")),
    }
    Ok(attempt)
}

/// Puts another value, or the flag; the wrong token differs in its last character.
fn set(words: &mut Vec<String>, flag: &str, value: &str) {
    match words.iter().position(|word| word == flag) {
        Some(at) if value == "wrong" => {
            let last = if words[at + 1].ends_with('a') { "b" } else { "a" };
            words[at + 1].pop();
            words[at + 1].push_str(last);
        }
        Some(at) => words[at + 1] = value.into(),
        None => words.extend([flag.into(), value.into()]),
    }
}

/// A line whose time is over.
fn expired() -> Result<Vec<String>> {
    let words = crate::line(&["--ttl", "1s"])?;
    // That a time passes cannot be waited for otherwise.
    std::thread::sleep(Duration::from_secs(2));
    Ok(words)
}

fn clock() -> Result<String> {
    let path = |end: &str| std::env::temp_dir().join(format!("nakhoda-clock-{}.{end}", std::process::id()));
    let (source, library) = (path("c"), path("so"));
    std::fs::write(&source, CLOCK)?;
    let made = Command::new("cc").args(["-shared", "-fPIC", "-o"]).arg(&library).arg(&source).status().context("cc")?;
    ensure!(made.success(), "cc");
    std::fs::remove_file(source)?;
    Ok(library.display().to_string())
}
