//! Certificates of 20 s under load, and a new authority in the place of the old one meanwhile: not one request fails,
//! no daemon is started again, and what has ended or was dropped opens nothing any more.
//!
//! An etcd, an API server and who renews their certificates, as processes in a network of the suite's own.
//! `SECONDS_OF_LOAD` is for how long.

use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use futures::StreamExt;
use nakhoda_api::kinds::core::ConfigMap;
use nakhoda_client::api::Watch;
use nakhoda_client::{Client, Config, Resource, WatchEvent};
use nakhoda_tests::command::{self, eventually};
use nakhoda_tests::source::{root, state};

const LIFE: &str = "20s";
const SERVER: &str = "https://127.0.0.1:6443";
/// Clients that ask all the time, on connections that they keep.
const CLIENTS: usize = 4;

/// The processes; they end with it.
struct Processes(Vec<(&'static str, Child)>);

// === impl Processes ===

impl Processes {
    fn start(&mut self, name: &'static str, command: &mut Command) -> Result<()> {
        let log = std::fs::File::create(state().join(format!("logs/{name}.log")))?;
        let child = command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log).spawn();
        self.0.push((name, child.context(name)?));
        Ok(())
    }

    fn all_run(&mut self) -> Result<()> {
        for (name, child) in &mut self.0 {
            ensure!(child.try_wait()?.is_none(), "{name} has ended");
        }
        Ok(())
    }
}

impl Drop for Processes {
    fn drop(&mut self) {
        for (_, child) in self.0.iter_mut().rev() {
            drop(child.kill().and_then(|()| child.wait()));
        }
    }
}

fn binary(name: &str) -> Command {
    Command::new(root().join(".cluster/bin").join(name))
}

fn pki(arguments: &[&str]) -> Result<String> {
    let folder = state().join("pki").display().to_string();
    let output = binary("ctl").arg("pki").args(arguments).args(["--dir", &folder]).output()?;
    let told = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    ensure!(output.status.success(), "ctl pki {arguments:?}: {told}");
    Ok(told)
}

/// `NAME FILE …`, the files below the folder of certificates.
fn files<'a>(pairs: &[(&'a str, &str)]) -> Vec<String> {
    let flag =
        |(name, file): &(&'a str, &str)| [(*name).to_owned(), state().join("pki").join(file).display().to_string()];
    pairs.iter().flat_map(flag).collect()
}

fn start() -> Result<Processes> {
    pki(&["init", "--server", SERVER, "--address", "127.0.0.1", "--life", LIFE])?;
    let mut processes = Processes(Vec::new());
    let renewal = state().join("pki").display().to_string();
    processes.start("renewal", binary("ctl").args(["pki", "renew", "--keep", "--dir", &renewal]))?;
    let data = state().join("etcd").display().to_string();
    let etcd = files(&[
        ("--cert-file", "etcd/server.crt"),
        ("--key-file", "etcd/server.key"),
        ("--trusted-ca-file", "etcd/ca.crt"),
    ]);
    let urls =
        ["--listen-client-urls", "--advertise-client-urls"].map(|flag| [flag, "https://127.0.0.1:2379"]).concat();
    processes
        .start("etcd", Command::new("etcd").args(["--data-dir", &data, "--client-cert-auth"]).args(urls).args(etcd))?;
    let apiserver = files(&[
        ("--etcd-cafile", "etcd/ca.crt"),
        ("--etcd-certfile", "etcd/client.crt"),
        ("--etcd-keyfile", "etcd/client.key"),
        ("--client-ca-file", "ca.crt"),
        ("--tls-cert-file", "apiserver.crt"),
        ("--tls-private-key-file", "apiserver.key"),
        ("--service-account-signing-key-file", "sa.key"),
    ]);
    let address = ["--bind-address", "127.0.0.1", "--advertise-address", "127.0.0.1"];
    processes.start("apiserver", binary("apiserver").args(address).args(apiserver))?;
    eventually("the API server", || ctl().run(&["health"]).map(drop))?;
    Ok(processes)
}

fn ctl() -> command::Client {
    command::Client::ctl().identity(state().join("pki/admin.conf"))
}

/// Writes and reads on one connection, or on those that follow it, until told to stop; how often.
async fn load(client: Client, number: usize, stop: Arc<AtomicBool>) -> Result<usize> {
    let api = client.namespaced::<ConfigMap>("default");
    let mut map = ConfigMap::default();
    map.metadata.name = Some(format!("load-{number}"));
    let mut known = api.create(&map).await?;
    let mut done = 1;
    while !stop.load(Ordering::Relaxed) {
        known.data = Some([("count".to_owned(), done.to_string())].into());
        known = api.update(&known).await.with_context(|| format!("update {done}"))?;
        api.get(known.name()).await.with_context(|| format!("get {done}"))?;
        done += 2;
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    Ok(done)
}

/// Follows what the others write; a watch may end, and begins where it was.
async fn watch(client: Client, stop: Arc<AtomicBool>) -> Result<usize> {
    let api = client.namespaced::<ConfigMap>("default");
    let (mut reached, mut events) = (String::from("0"), 0);
    while !stop.load(Ordering::Relaxed) {
        let mut stream = api.watch(&Watch { resource_version: reached.clone(), ..Watch::default() }).await?;
        while !stop.load(Ordering::Relaxed) {
            let Ok(next) = tokio::time::timeout(Duration::from_secs(1), stream.next()).await else { continue };
            let Some(event) = next else { break };
            match event? {
                WatchEvent::Added(map) | WatchEvent::Modified(map) => {
                    reached = map.metadata.resource_version.clone().unwrap_or_default();
                    events += 1;
                }
                WatchEvent::Deleted(_) => bail!("nothing was deleted"),
                WatchEvent::Bookmark { resource_version, .. } => reached = resource_version,
            }
        }
    }
    Ok(events)
}

/// New connections, each by a process of its own.
fn strangers(end: Instant, processes: &mut Processes) -> Result<usize> {
    let begin = Instant::now();
    let (mut done, mut steps) = (0, 0);
    while Instant::now() < end {
        ctl().run(&["get", "configmaps", "-o", "name"])?;
        processes.all_run()?;
        done += 1;
        // The authority changes in the middle third, with time for everybody to read.
        let share = begin.elapsed().as_secs_f64() / end.duration_since(begin).as_secs_f64();
        if steps < 3 && share > [0.3, 0.5, 0.7][steps] {
            eprint!("{}", pki(&["rotate-ca"])?);
            steps += 1;
        }
        std::thread::sleep(Duration::from_millis(200));
    }
    ensure!(steps == 3, "only {steps} steps of the rotation were done");
    Ok(done)
}

fn run() -> Result<()> {
    let seconds = std::env::var("SECONDS_OF_LOAD").ok().and_then(|text| text.parse().ok()).unwrap_or(60);
    let mut processes = start()?;
    let first = state().join("first.conf");
    std::fs::copy(state().join("pki/admin.conf"), &first)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let (stop, mut tasks) = (Arc::new(AtomicBool::new(false)), Vec::new());
    for number in 0..CLIENTS {
        let _inside = runtime.enter();
        let client = Client::new(&Config::from_kubeconfig(state().join("pki/admin.conf"))?);
        tasks.push(runtime.spawn(load(client.clone(), number, stop.clone())));
        if number == 0 {
            tasks.push(runtime.spawn(watch(client, stop.clone())));
        }
    }
    let connections = strangers(Instant::now() + Duration::from_secs(seconds), &mut processes);
    stop.store(true, Ordering::Relaxed);
    let mut told = Vec::new();
    for task in tasks {
        told.push(runtime.block_on(task)??);
    }
    eprintln!("{} s: {told:?} requests and events, {} new connections, none failed", seconds, connections?);
    let renewed = std::fs::read_to_string(state().join("logs/renewal.log"))?;
    ensure!(renewed.matches("apiserver.crt renewed").count() >= 2, "{renewed}");
    let refused = command::Client::ctl().identity(first).run(&["get", "configmaps"]);
    ensure!(refused.is_err(), "a certificate that has ended, of an authority that is gone, opens the door");
    Ok(())
}

#[test]
fn short_lives_and_a_new_authority_cost_no_request() {
    run().unwrap_or_else(|e| panic!("{e:?}"));
}
