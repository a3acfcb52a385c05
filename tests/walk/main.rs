//! hello-minikube on a running cluster (scripts/up), step by step, with `ctl` and with every kubectl that is
//! here. Each walk has a namespace of its own and removes it.

mod by_hand;
mod cluster;
mod steps;

use anyhow::Result;
use nakhoda_tests::command::Client;

fn walk(client: &Client) -> Result<()> {
    let namespace = format!("walk-{}", client.name.replace(['.', '_'], "-"));
    let walk = steps::Walk::begin(client.clone(), namespace)?;
    walk.deploy()?;
    walk.look()?;
    walk.expose()?;
    walk.by_name()?;
    walk.inside()?;
    walk.scale_and_heal()?;
    walk.roll()?;
    walk.identity()?;
    walk.by_hand()?;
    walk.end()
}

#[test]
fn ctl_walks() {
    cluster::prepare();
    walk(&Client::ctl()).unwrap_or_else(|e| panic!("{e:?}"));
}

#[test]
fn old_and_new_kubectl_walk() {
    cluster::prepare();
    let kubectls = Client::kubectls();
    if kubectls.is_empty() {
        eprintln!("no kubectl found on the PATH; name some in KUBECTLS, separated by colons");
    }
    for client in kubectls {
        eprintln!("walking with {}", client.name);
        walk(&client).unwrap_or_else(|e| panic!("{}: {e:?}", client.name));
    }
}
