//! Controllers against a store in memory, simulated nodes, virtual time and faults: requests that are
//! refused, answers that are lost, watches that break, leaders that change. Each seed is another run;
//! `SEEDS=n` runs so many.

use std::sync::Arc;
use std::time::Duration;

use clap::Parser as _;
use nakhoda_client::Informers;
use nakhoda_client::memory::Memory;
use nakhoda_daemon::Tasks;
use parking_lot::Mutex;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use crate::clock::simulated;
use crate::context::Context;
use crate::material::Material;
use crate::options::Options;

mod faults;
mod node;
mod tests;
mod watcher;

/// How many runs of each scenario.
const SEEDS: u64 = 30;
/// The longest run, in virtual seconds.
const LONGEST: u64 = 7200;

/// One run.
#[derive(Clone)]
pub(crate) struct Run {
    /// What is stored.
    pub(crate) memory: Memory,
    /// What happens.
    pub(crate) dice: Arc<Mutex<StdRng>>,
    /// Lives as long as the run.
    pub(crate) tasks: Tasks,
    /// For messages.
    pub(crate) seed: u64,
}

// === impl Run ===

impl Run {
    /// A chance of so many in a hundred.
    pub(crate) fn chance(&self, percent: u32) -> bool {
        self.dice.lock().random_range(0..100) < percent
    }

    /// A while of up to so many milliseconds.
    pub(crate) async fn pause(&self, most: u64) {
        let millis = self.dice.lock().random_range(0..=most);
        tokio::time::sleep(Duration::from_millis(millis)).await;
    }

    /// A term of leadership with these controllers, over a client that meets faults.
    fn term(&self, start: &[fn(&Context)]) -> Tasks {
        let term = self.tasks.child();
        let client = faults::client(self, term.token());
        let cx = Context {
            informers: Informers::new(client.clone(), term.clone()),
            client,
            tasks: term.clone(),
            options: Arc::new(Options::parse_from(["controller-manager", "--kubeconfig", "none"])),
            material: Arc::new(Material::default()),
        };
        start.iter().for_each(|start| start(&cx));
        term
    }

    /// Lets leaders come and go and watches break, until the run ends.
    async fn govern(self, start: Vec<fn(&Context)>) {
        loop {
            let term = self.term(&start);
            for _ in 0..3 {
                self.pause(20_000).await;
                self.memory.break_watches();
                if self.chance(30) {
                    self.memory.compact();
                }
            }
            self.pause(60_000).await;
            term.stop();
        }
    }
}

/// Runs a scenario with each seed.
pub(crate) fn with_seeds<F>(start: &[fn(&Context)], scenario: impl Fn(Run) -> F)
where
    F: Future<Output = ()>,
{
    let seeds = std::env::var("SEEDS").ok().and_then(|n| n.parse().ok()).unwrap_or(SEEDS);
    for seed in 0..seeds {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
        runtime.expect("a runtime").block_on(async {
            simulated::begin();
            let dice = Arc::new(Mutex::new(StdRng::seed_from_u64(seed)));
            let run = Run { memory: Memory::new(), dice, tasks: Tasks::new(), seed };
            let governed = tokio::spawn(run.clone().govern(start.to_vec()));
            tokio::spawn(node::run(run.clone()));
            let ended = tokio::time::timeout(Duration::from_secs(LONGEST), scenario(run.clone())).await;
            assert!(ended.is_ok(), "seed {seed}: not at rest after {LONGEST} s");
            governed.abort();
            run.tasks.stop();
            simulated::end();
        });
    }
}
