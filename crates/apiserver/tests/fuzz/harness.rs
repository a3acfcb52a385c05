//! Runs a target over and over.

use std::path::PathBuf;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use std::{env, fs, panic, process};

use crate::mutate::{Random, mutate};

/// A reader, and inputs that it knows.
pub(crate) struct Target {
    pub(crate) name: &'static str,
    /// The inputs, with [`BETWEEN`] between them.
    pub(crate) corpus: &'static [u8],
    /// Reads an input: how many bytes came of it.
    pub(crate) run: fn(&[u8]) -> usize,
}

const BETWEEN: &[u8] = b"\n----\n";
/// How long and how often a target runs if nobody says otherwise: then every run is the same.
const SECONDS: u64 = 2;
const RUNS: u64 = 400;
const SEED: u64 = 1;
/// What comes of an input is at most so many times as long, and [`SLACK`] more.
const GROWTH: usize = 200;
const SLACK: usize = 64 << 10;
/// No input of at most 64 KiB keeps a reader busy for so long, on the slowest machine.
const HANG: Duration = Duration::from_secs(20);

// === impl Target ===

impl Target {
    /// Runs the corpus as it is, and then what mutation makes of it, until the time is over.
    pub(crate) fn fuzz(&self) {
        let seconds = number("FUZZ_SECONDS");
        let seed = number("FUZZ_SEED").unwrap_or_else(|| seconds.map_or(SEED, |_| now()));
        let span = Duration::from_secs(seconds.unwrap_or(SECONDS));
        let most = seconds.map_or(RUNS, |_| u64::MAX);
        let (start, mut runs, mut random) = (Instant::now(), 0_u64, Random(seed));
        eprintln!("{}: FUZZ_SEED={seed}", self.name);
        let corpus = split(self.corpus);
        corpus.iter().for_each(|input| self.once(input, seed));
        while start.elapsed() < span && runs < most {
            self.once(&mutate(&mut random, &corpus), seed);
            runs += 1;
        }
        eprintln!("{}: {runs} inputs", self.name);
    }

    fn once(&self, input: &[u8], seed: u64) {
        let start = Instant::now();
        let outcome = panic::catch_unwind(|| (self.run)(input));
        let fault = match outcome {
            Err(_) => "panics",
            Ok(_) if start.elapsed() > HANG => "hangs",
            Ok(size) if size > input.len() * GROWTH + SLACK => "grows",
            Ok(_) => return,
        };
        panic!("{} {fault} with {} (FUZZ_SEED={seed})", self.name, save(self.name, input).display());
    }
}

fn split(mut corpus: &'static [u8]) -> Vec<&'static [u8]> {
    let mut inputs = Vec::new();
    while let Some(end) = corpus.windows(BETWEEN.len()).position(|window| window == BETWEEN) {
        inputs.push(&corpus[..end]);
        corpus = &corpus[end + BETWEEN.len()..];
    }
    inputs.push(corpus.strip_suffix(b"\n").unwrap_or(corpus));
    inputs
}

fn save(name: &str, input: &[u8]) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("../fuzz");
    let file = folder.join(format!("{name}-{}", process::id()));
    fs::create_dir_all(&folder).and_then(|()| fs::write(&file, input)).expect("a place for the input");
    file
}

fn number(variable: &str) -> Option<u64> {
    env::var(variable).ok()?.parse().ok()
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| u64::from(since.subsec_nanos()) ^ since.as_secs())
}
