//! The drill of backup and restore with three members: what was saved is there again, what came later is gone, and no
//! revision is given out twice.

use anyhow::{Context, Result, ensure};
use nakhoda_tests::app::App;
use nakhoda_tests::command::eventually;
use nakhoda_tests::plane::{self, Plane};
use nakhoda_tests::source::state;

use crate::REPLICAS;

/// All of it.
pub(crate) fn drill(plane: &Plane, app: &App) -> Result<()> {
    let file = state().join("snapshot").display().to_string();
    app.client.run(&["etcd", "snapshot", "save", &file])?;
    app.run(&["create", "configmap", "lost"])?;
    let before = revision(app)?;
    eprint!("{}", plane.script("scripts/etcd-restore", &["--compose", &file])?);
    eventually("both nodes", plane::nodes_are_ready)?;
    ensure!(app.run(&["get", "configmap", "lost"]).is_err(), "what came after the snapshot is there");
    app.run(&["create", "configmap", "lost"])?;
    let after = revision(app)?;
    ensure!(after > before, "revision {after} was given out before: {before}");
    app.apply(REPLICAS, "after-the-restore")?;
    app.ready(REPLICAS).map(drop)
}

fn revision(app: &App) -> Result<u64> {
    let told = app.run(&["get", "configmap", "lost", "-o", "jsonpath={.metadata.resourceVersion}"])?;
    told.trim().parse().with_context(|| format!("a revision: {told}"))
}
