//! The older way: a ReplicationController, a Service without a selector and Endpoints that a person wrote; and
//! what a pod is given by a ConfigMap, a Secret and its account's token.

use std::fmt::Write;

use anyhow::{Result, ensure};
use nakhoda_tests::command::eventually;

use crate::steps::{Walk, expect};

// === impl Walk ===

impl Walk {
    /// All of it.
    pub(crate) fn by_hand(&self) -> Result<()> {
        let create = ["create", "-n", &self.namespace, "-f", "-"];
        self.client.with_input(&create, include_str!("by_hand.yaml"))?;
        self.until(&["get", "replicationcontroller", "by-hand", "-o", "jsonpath={.status.readyReplicas}"], "2")?;
        self.given()?;
        let addresses = self.run(&["get", "pods", "-l", "app=by-hand", "-o", "jsonpath={.items[*].status.podIP}"])?;
        self.client.with_input(&create, &endpoints(addresses.split_whitespace()))?;
        let pod = self.pod()?;
        let page = || self.run(&["exec", &pod, "--", "wget", "-qO-", "http://by-hand/"]);
        eventually("the page through Endpoints by hand", || expect(&page()?, "Hello one"))?;
        self.run(&["delete", "replicationcontroller", "by-hand"])?;
        eventually("the controller's pods to go", || {
            let left = self.run(&["get", "pods", "-l", "app=by-hand", "-o", "name"])?;
            ensure!(left.is_empty(), "{left}");
            Ok(())
        })
    }

    fn given(&self) -> Result<()> {
        let pods = self.run(&["get", "pods", "-l", "app=by-hand", "-o", "name"])?;
        let pod = pods.lines().next().unwrap_or_default();
        let inside = |command: &str| self.run(&["exec", pod, "--", "sh", "-c", command]);
        ensure!(inside("echo $COLOR; cat /all/color /all/word")? == "blue\nblueopen sesame");
        ensure!(inside("cat /all/token")?.split('.').count() == 3, "no token");
        Ok(())
    }
}

fn endpoints<'a>(addresses: impl Iterator<Item = &'a str>) -> String {
    let mut text = "apiVersion: v1\nkind: Endpoints\nmetadata:\n  name: by-hand\nsubsets:\n- addresses:\n".to_owned();
    for address in addresses {
        writeln!(text, "  - ip: {address}").expect("a String takes everything");
    }
    text + "  ports:\n  - port: 5000\n"
}
