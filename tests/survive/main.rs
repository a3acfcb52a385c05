//! Survival: rollouts and creates go on while a seeded schedule kills every daemon without a word, one after the
//! other. Afterwards no acknowledged write is lost, no watcher was told anything twice, late or never, no pod ran
//! twice at once, and what runs is what was asked for.
//!
//! `SEED` replays the order of victims and the pauses between them; `SECONDS_OF_DEATH` is for how long.

mod follower;
mod schedule;
mod victims;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use nakhoda_tests::app::App;
use nakhoda_tests::command::eventually;
use nakhoda_tests::load::Writer;
use nakhoda_tests::machine::{self, Machine};
use nakhoda_tests::plane::{self, Plane};
use nakhoda_tests::source::state;
use schedule::Schedule;

const REPLICAS: usize = 4;
/// Those of the StatefulSet.
const ORDERED: usize = 2;

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().and_then(|text| text.parse().ok())
}

/// Rolls out one version after the other until it is told to stop; how many came to their end.
fn rollouts(app: &App, stop: &AtomicBool) -> usize {
    let mut done = 0;
    while !stop.load(Ordering::Relaxed) {
        // A request may be cut off: a person would ask again.
        let rolled = app.apply(REPLICAS, &format!("survive-{done}")).and_then(|()| app.ready(REPLICAS));
        done += usize::from(rolled.is_ok());
        std::thread::sleep(Duration::from_millis(200));
    }
    done
}

/// Pods that hold a lock of their own name, in a folder that both nodes share.
fn locked(app: &App) -> Result<std::path::PathBuf> {
    let folder = state().join("shared");
    std::fs::create_dir_all(&folder)?;
    let text = include_str!("locked.yaml")
        .replace("FOLDER", &folder.display().to_string())
        .replace("REPLICAS", &ORDERED.to_string());
    app.client.with_input(&["apply", "-n", &app.namespace, "-f", "-"], &text)?;
    Ok(folder.join("twice"))
}

/// What was asked for runs, and no more.
fn at_rest(app: &App) -> Result<()> {
    app.apply(REPLICAS, "at-rest")?;
    app.ready(REPLICAS)?;
    eventually("the StatefulSet", || {
        let path = "jsonpath={.status.readyReplicas} {.status.replicas}";
        let told = app.run(&["get", "statefulset", "locked", "-o", path])?;
        ensure!(told == format!("{ORDERED} {ORDERED}"), "{told}");
        let pods = app.run(&["get", "pods", "-l", "app=locked", "-o", "name"])?;
        ensure!(pods.lines().count() == ORDERED, "{pods}");
        Ok(())
    })
}

fn survive(plane: &Plane, seed: u64, lasts: Duration) -> Result<()> {
    plane.kubeconfig()?;
    let mut machines = plane.join()?;
    let app = Arc::new(App::start("survive", REPLICAS)?);
    let twice = locked(&app)?;
    let followers = follower::start(2)?;
    let writer = Writer::start(&app.client, &app.namespace);
    let stop = Arc::new(AtomicBool::new(false));
    let rolling = std::thread::spawn({
        let (app, stop) = (app.clone(), stop.clone());
        move || rollouts(&app, &stop)
    });
    let (end, mut schedule, mut deaths) = (Instant::now() + lasts, Schedule::new(seed), 0);
    while Instant::now() < end {
        let (victim, pause) = schedule.next(&victims::ALL);
        eprintln!("  {victim} is killed; {} ms", pause.as_millis());
        victims::kill(victim, plane, &mut machines)?;
        deaths += 1;
        std::thread::sleep(pause);
    }
    stop.store(true, Ordering::Relaxed);
    let rolled = rolling.join().or_else(|_| bail!("the rollouts panicked"))?;
    let written = writer.end()?;
    eventually("all services", || plane.is_well())?;
    eventually("both nodes", || {
        machines.iter_mut().try_for_each(Machine::revive)?;
        plane::nodes_are_ready()
    })?;
    at_rest(&app)?;
    let events = followers.end()?;
    eprintln!(
        "{deaths} deaths, {rolled} rollouts, {} writes (at most {:.1} s apart), {events} events checked",
        written.names.len(),
        written.gap.as_secs_f64()
    );
    written.is_there(&app.client, &app.namespace)?;
    if let Ok(told) = std::fs::read_to_string(&twice) {
        bail!("these ran twice at once: {told}");
    }
    Arc::into_inner(app).context("nobody else holds it")?.end()?;
    drop(machines);
    Ok(())
}

fn run() -> Result<()> {
    let seed = number("SEED").unwrap_or_else(|| u64::from(std::process::id()) ^ schedule::now());
    let lasts = Duration::from_secs(number("SECONDS_OF_DEATH").unwrap_or(60));
    machine::network()?;
    let Some(plane) = Plane::start()? else {
        eprintln!("skipped: dockerd is not installed (apt-get install docker.io)");
        return Ok(());
    };
    eprintln!("scripts/test survive --seconds {} --seed {seed}", lasts.as_secs());
    survive(&plane, seed, lasts).inspect_err(|_| eprintln!("{}", plane.logs()))?;
    plane.compose(&["down", "-v"]).map(drop)
}

#[test]
fn nothing_is_lost_doubled_or_told_wrongly_whoever_dies() {
    run().unwrap_or_else(|e| panic!("{e:?}"));
}
