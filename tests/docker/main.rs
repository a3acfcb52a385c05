//! Images from a real dockerd to the nodes: the example's own Dockerfile is built, saved and loaded, and runs.
//! And what leaves the nodes passes where a dockerd guards the host, whichever of the two came first.
//!
//! Skipped, and said so, where dockerd is not installed.

use std::process::Command;

use anyhow::{Result, ensure};
use nakhoda_tests::command::{Client, eventually};
use nakhoda_tests::docker::Docker;
use nakhoda_tests::source::root;

/// The app does not handle SIGTERM: with the usual grace it would take 30 s to go.
const POD: &str = r"
apiVersion: v1
kind: Pod
metadata: {name: app}
spec:
  terminationGracePeriodSeconds: 1
  containers: [{name: app, image: 'docker-flask:2'}]
";
const EXAMPLE: &str = "deploy/examples/hello-flask";

/// The base of the Dockerfile, made of Debian's packages.
fn base(docker: &Docker) -> Result<()> {
    let archive = root().join(".cluster/test-images/python.tar").display().to_string();
    let made = Command::new(root().join("tests/walk/flask-image")).args([&archive, "python:1", "Hello"]).status()?;
    ensure!(made.success(), "tests/walk/flask-image failed");
    let (passed, told) = docker.pipe(&format!("tar -xOf {archive} layer.tar | docker import - python:3.13"))?;
    ensure!(passed, "{told}");
    Ok(())
}

fn saved_and_loaded(docker: &Docker) -> Result<()> {
    docker.run(&["build", "-q", "-t", "docker-flask:1", &root().join(EXAMPLE).display().to_string()])?;
    let (passed, told) = docker.pipe("docker save docker-flask:1 | ctl image load -")?;
    let nodes = Client::ctl().run(&["get", "nodes", "-o", "name"])?.lines().count();
    ensure!(passed && told.matches("loaded docker.io/library/docker-flask:1").count() == nodes, "{told}");
    let (passed, told) = docker.pipe("docker save docker-flask:1 | gzip | ctl image load -")?;
    ensure!(passed, "the same again, gzipped: {told}");
    Ok(())
}

/// A broken archive is told, and leaves nothing.
fn broken(docker: &Docker) -> Result<()> {
    docker.run(&["tag", "docker-flask:1", "docker-broken:1"])?;
    let script = "docker save -o .cluster/test-images/broken.tar docker-broken:1; \
                  head -c 3000000 .cluster/test-images/broken.tar | ctl image load -";
    let (passed, told) = docker.pipe(script)?;
    ensure!(!passed && !told.is_empty(), "a cut archive was taken: {told}");
    ensure!(!Client::ctl().run(&["image", "ls"])?.contains("docker-broken"), "a cut archive left an image");
    Ok(())
}

/// `ctl image build` does it all in one, and the image runs.
fn built(docker: &Docker) -> Result<()> {
    let (passed, told) = docker.pipe(&format!("ctl image build -t docker-flask:2 {EXAMPLE}"))?;
    ensure!(passed && told.contains("loaded docker.io/library/docker-flask:2"), "{told}");
    let ctl = Client::ctl();
    ctl.run(&["create", "namespace", "docker"])?;
    ctl.with_input(&["create", "-n", "docker", "-f", "-"], POD)?;
    let ask = ["exec", "-n", "docker", "app", "--", "wget", "-qO-", "http://127.0.0.1:5000/"];
    eventually("the page", || {
        let page = ctl.run(&ask)?;
        ensure!(page == "Hello from Python!\n", "{page}");
        Ok(())
    })?;
    ctl.run(&["delete", "namespace", "docker"])?;
    for image in ["docker-flask:1", "docker-flask:2"] {
        ctl.run(&["image", "rm", image])?;
    }
    Ok(())
}

fn run() -> Result<()> {
    let Some(docker) = Docker::start()? else {
        eprintln!("skipped: dockerd is not installed (apt-get install docker.io)");
        return Ok(());
    };
    base(&docker)?;
    saved_and_loaded(&docker)?;
    broken(&docker)?;
    built(&docker)
}

#[test]
fn images_come_from_docker() {
    run().unwrap_or_else(|e| panic!("{e:?}"));
}

#[test]
fn the_way_out_stays_open_beside_dockerd() {
    let output = Command::new("unshare")
        .args(["--net", "--mount", "--pid", "--fork", "--kill-child"])
        .arg(root().join("tests/docker/forwarding"))
        .output()
        .expect("unshare runs");
    let told = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    eprint!("{told}");
    assert!(output.status.success());
}
