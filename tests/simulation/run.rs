//! [`Run`]: one world from its beginning to its end.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use clap::Parser as _;
use nakhoda_client::clock::simulated;
use nakhoda_client::memory::Memory;
use nakhoda_client::queue::meter::Meters;
use nakhoda_client::{Client, Informers};
use nakhoda_controller_manager::Options;
use nakhoda_controller_manager::context::Context;
use nakhoda_controller_manager::material::Material;
use nakhoda_daemon::Tasks;
use nakhoda_daemon::metrics::Metrics;
use nakhoda_scheduler::app;
use nakhoda_scheduler::config::Config;
use rand::RngExt;

use crate::rules::Rules;
use crate::{faults, kubelets};

/// How many runs of each scenario.
const SEEDS: u64 = 5;
/// The longest run, in virtual seconds.
const LONGEST: u64 = 14_400;

/// Who takes part besides the scheduler.
#[derive(Clone)]
pub(crate) struct Cast {
    /// How the controllers start.
    pub(crate) controllers: Vec<fn(&Context)>,
    /// How many nodes there are.
    pub(crate) nodes: usize,
    /// How many cores each has.
    pub(crate) cores: u32,
}

/// One run. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Run {
    /// What is stored.
    pub(crate) memory: Memory,
    /// Lives as long as the run.
    pub(crate) tasks: Tasks,
    /// What must hold.
    pub(crate) rules: Rules,
    /// Whether pods may be created.
    quota: Arc<AtomicBool>,
    /// How many were refused for that.
    refused: Arc<AtomicU32>,
    calm: bool,
}

// === impl Run ===

impl Run {
    /// A chance of so many in a hundred.
    pub(crate) fn chance(&self, percent: u32) -> bool {
        dice(0..100) < percent
    }

    /// A chance of so many in a hundred that something goes wrong.
    pub(crate) fn fault(&self, percent: u32) -> bool {
        !self.calm && self.chance(percent)
    }

    /// A while of up to so many milliseconds.
    pub(crate) async fn pause(&self, most: u32) {
        tokio::time::sleep(Duration::from_millis(dice(0..most + 1).into())).await;
    }

    /// A client that meets no faults.
    pub(crate) fn client(&self) -> Client {
        self.memory.client()
    }

    /// Lets terms of leadership come and go, until the run ends.
    async fn govern(self, start: impl Fn(&Self, Tasks)) {
        loop {
            let term = self.tasks.child();
            start(&self, term.clone());
            if self.calm {
                return self.tasks.stopping().await;
            }
            tokio::time::sleep(Duration::from_secs(15)).await;
            self.pause(90_000).await;
            term.stop();
        }
    }

    /// Breaks watches, until the run ends.
    async fn shake(self) {
        if self.calm {
            return;
        }
        loop {
            self.pause(20_000).await;
            self.memory.break_watches();
            if self.chance(30) {
                self.memory.compact();
            }
        }
    }

    fn begin(&self, cast: &Cast) {
        let (tasks, start) = (&self.tasks, cast.controllers.clone());
        let controllers = move |run: &Self, term: Tasks| control(run, term, &start);
        tasks.spawn("controllers", self.clone().govern(controllers));
        tasks.spawn("scheduler", self.clone().govern(schedule));
        tasks.spawn("shaking", self.clone().shake());
        tasks.spawn("kubelets", kubelets::run(self.clone(), cast.nodes, cast.cores));
    }
}

fn dice(range: std::ops::Range<u32>) -> u32 {
    simulated::dice(|dice| dice.random_range(range)).expect("a run has dice")
}

fn control(run: &Run, term: Tasks, start: &[fn(&Context)]) {
    let client = faults::client(run, term.token());
    let cx = Context {
        informers: Informers::new(client.clone(), term.clone()),
        client,
        tasks: term,
        options: Arc::new(Options::parse_from(["controller-manager", "--kubeconfig", "none"])),
        material: Arc::new(Material::default()),
        meters: Meters::default(),
    };
    start.iter().for_each(|start| start(&cx));
}

fn schedule(run: &Run, term: Tasks) {
    let config = Config { election: None, ..Config::named("default-scheduler") };
    app::schedule(&term, &faults::client(run, term.token()), &config, &Metrics::default());
}

/// Runs a scenario with one seed; says what the story of its changes was, as a number.
pub(crate) fn once<F: Future<Output = ()>>(seed: u64, calm: bool, cast: &Cast, scenario: impl Fn(Run) -> F) -> u64 {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    runtime.expect("a runtime").block_on(async {
        simulated::begin(seed);
        let (memory, tasks) = (Memory::new(), Tasks::new());
        memory.delete_gracefully(true);
        let rules = Rules::new(&memory, &tasks, cast.cores);
        let run = Run { memory, tasks, rules, quota: Arc::new(AtomicBool::new(true)), refused: Arc::default(), calm };
        run.begin(cast);
        let ended = tokio::time::timeout(Duration::from_secs(LONGEST), scenario(run.clone())).await;
        assert!(ended.is_ok(), "not at rest after {LONGEST} s");
        let (story, failure) = (run.rules.story(), run.tasks.failure());
        run.tasks.stop();
        simulated::end();
        assert!(failure.is_none(), "{}", failure.unwrap_or_default());
        story
    })
}

/// Runs a scenario with each seed, under faults; the first one twice, and to the letter in the same way. One that fails
/// is told, and how to run it again.
pub(crate) fn with_seeds<F: Future<Output = ()>>(cast: &Cast, scenario: impl Fn(Run) -> F) {
    let number = |name: &str| std::env::var(name).ok().and_then(|n| n.parse::<u64>().ok());
    let seeds = match number("SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("SEEDS").unwrap_or(SEEDS),
    };
    let first = seeds.start;
    for seed in seeds {
        let run = || {
            let story = once(seed, false, cast, &scenario);
            assert!(seed > first || story == once(seed, false, cast, &scenario), "it is another run the second time");
        };
        if let Err(panic) = catch_unwind(AssertUnwindSafe(run)) {
            eprintln!("seed {seed} failed: SEED={seed} runs it again");
            resume_unwind(panic);
        }
    }
}

/// Runs a scenario without faults.
pub(crate) fn calmly<F: Future<Output = ()>>(cast: &Cast, scenario: impl Fn(Run) -> F) {
    once(0, true, cast, scenario);
}

// === impl Run: quota ===

impl Run {
    /// Whether pods may be created from now on.
    pub(crate) fn allow_pods(&self, allow: bool) {
        self.quota.store(allow, Ordering::Relaxed);
    }

    /// Whether there is no room for one more pod; if so, that is counted.
    pub(crate) fn refuses_pod(&self) -> bool {
        let refuses = !self.quota.load(Ordering::Relaxed);
        self.refused.fetch_add(refuses.into(), Ordering::Relaxed);
        refuses
    }

    /// How many pods were refused so far.
    pub(crate) fn refused(&self) -> u32 {
        self.refused.load(Ordering::Relaxed)
    }
}
