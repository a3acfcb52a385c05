//! A fourth machine joins by the line that `ctl token create` prints; what is wrong is told in one line; nobody gets
//! another's certificate; a removed node's name is free again; certificates are renewed before they end.

mod faults;
mod rotation;
mod serving;

use std::time::Instant;

use anyhow::{Context, Result, ensure};
use nakhoda_tests::command::{Client, eventually};
use nakhoda_tests::machine::Machine;

const NODE: &str = "node-4";

/// A fresh line to join by, without the program's name.
pub(crate) fn line(more: &[&str]) -> Result<Vec<String>> {
    let told = Client::ctl().run(&[&["token", "create", "--description", "tests/join"], more].concat())?;
    let words = told.trim().strip_prefix("kubelet ").with_context(|| format!("no line to join by: {told}"))?;
    Ok(words.split(' ').map(str::to_owned).collect())
}

/// Starts the machine's kubelet and waits until the cluster calls the node Ready.
fn join(machine: &mut Machine) -> Result<()> {
    let words = line(&[])?;
    let start = Instant::now();
    machine.start(&words.iter().map(String::as_str).collect::<Vec<_>>())?;
    ready()?;
    eprintln!("joined and Ready after {:.1} s", start.elapsed().as_secs_f64());
    Ok(())
}

/// Waits for the node, and for its kubelet to answer with a certificate that the cluster believes.
fn ready() -> Result<()> {
    let path = r#"jsonpath={.status.conditions[?(@.type=="Ready")].status}"#;
    Client::ctl().until(&["get", "node", NODE, "-o", path], "True")?;
    eventually("its serving certificate", || Client::ctl().run(&["image", "ls"]).map(drop))
}

fn forget() -> Result<()> {
    Client::ctl().run(&["node", "remove", NODE]).map(drop)
}

fn tokens() -> Result<Vec<String>> {
    let listed = Client::ctl().run(&["token", "list"])?;
    Ok(listed
        .lines()
        .filter(|l| l.contains("tests/join"))
        .filter_map(|l| l.split(' ').next())
        .map(Into::into)
        .collect())
}

fn run(machine: &mut Machine) -> Result<()> {
    faults::told(machine)?;
    join(machine)?;
    serving::only_its_own(machine)?;
    machine.stop()?;
    forget()
}

#[test]
fn a_machine_joins_by_one_line_and_its_name_is_free_when_it_is_removed() {
    let both = || {
        let mut machine = Machine::new(NODE)?;
        run(&mut machine)?;
        drop(machine);
        let mut machine = Machine::new(NODE)?;
        rotation::renewed(&mut machine)?;
        for token in tokens()? {
            Client::ctl().run(&["token", "delete", &token])?;
        }
        ensure!(tokens()?.is_empty(), "tokens are left");
        Ok(())
    };
    both().unwrap_or_else(|e: anyhow::Error| panic!("{e:?}"));
}
