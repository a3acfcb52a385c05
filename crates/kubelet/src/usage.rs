//! What the node, its pods and their containers use, read from their cgroups every ten seconds. Of each the last two
//! readings are kept, so that whoever asks is told a rate at once.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use parking_lot::Mutex;

use crate::cgroup::usage::Usage;
use crate::host::Host;
use crate::pod::core::View;
use crate::pod::manager::Manager;
use crate::pod::{sandbox, spec};

const PERIOD: Duration = Duration::from_secs(10);
/// A container that is younger than this when it is read for the first time is known from its start.
const YOUNG: SignedDuration = SignedDuration::from_secs(20);
/// A rate over less than this tells of the start and nothing else.
const SHORTEST: SignedDuration = SignedDuration::from_secs(5);
/// The node among containers and pods, which have ids.
pub const NODE: &str = "";

/// The readings: of containers by the runtime's id, of pods by their uid, of the node as [`NODE`]. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Meter {
    readings: Arc<Mutex<HashMap<String, Readings>>>,
}

/// What was used up to a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reading {
    /// When it was read.
    pub at: Timestamp,
    /// What was read.
    pub usage: Usage,
}

/// What is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// The last reading.
    pub last: Reading,
    /// The time since the one before.
    pub window: SignedDuration,
    /// Billionths of a core, on the average of the window.
    pub nano_cores: u64,
}

/// The last two.
#[derive(Clone, Copy, Debug)]
struct Readings {
    last: Reading,
    before: Option<(Timestamp, u64)>,
}

/// Reads for ever.
pub async fn run(host: Arc<Host>, manager: Manager) {
    let mut ticks = tokio::time::interval(PERIOD);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let (host, views) = (host.clone(), manager.views());
        let round = tokio::task::spawn_blocking(move || round(&host, &views));
        if round.await.is_err() {
            tracing::warn!("usage was not read");
        }
    }
}

fn round(host: &Host, views: &[View]) {
    let mut known = HashSet::from([NODE.to_owned()]);
    host.meter.read(NODE, host.cgroups.node_usage(), None);
    for view in views.iter().filter(|view| view.observed.is_running()) {
        let (uid, parent) = (spec::uid(&view.pod), sandbox::cgroup(host, &view.pod));
        known.insert(uid.to_owned());
        host.meter.read(uid, host.cgroups.pod_usage(&parent), None);
        for seen in view.observed.each().filter(|seen| seen.is_running()) {
            let started = Timestamp::from_nanosecond(seen.status.started_at.into()).ok();
            known.insert(seen.status.id.clone());
            host.meter.read(&seen.status.id, host.cgroups.container_usage(&parent, &seen.status.id), started);
        }
    }
    host.meter.readings.lock().retain(|id, _| known.contains(id));
}

// === impl Meter ===

impl Meter {
    /// Notes a reading of something that runs since `started`, where that is known.
    fn read(&self, id: &str, usage: std::io::Result<Usage>, started: Option<Timestamp>) {
        match usage {
            Ok(usage) => self.note(id, Reading { at: Timestamp::now(), usage }, started),
            // Containers end at any time; the next round has forgotten them.
            Err(error) => tracing::debug!(%error, id, "usage not read"),
        }
    }

    /// Notes a reading.
    pub fn note(&self, id: &str, last: Reading, started: Option<Timestamp>) {
        let mut all = self.readings.lock();
        let before = match all.get(id) {
            Some(known) => Some((known.last.at, known.last.usage.cpu)),
            None => started.filter(|started| last.at.duration_since(*started) < YOUNG).map(|started| (started, 0)),
        };
        all.insert(id.into(), Readings { last, before });
    }

    /// The last reading.
    #[must_use]
    pub fn last(&self, id: &str) -> Option<Reading> {
        self.readings.lock().get(id).map(|readings| readings.last)
    }

    /// What is used, once that can be told.
    #[must_use]
    pub fn rate(&self, id: &str) -> Option<Rate> {
        let Readings { last, before } = *self.readings.lock().get(id)?;
        let (at, cpu) = before?;
        let window = last.at.duration_since(at);
        if window < SHORTEST {
            return None;
        }
        let used = u128::from(last.usage.cpu.checked_sub(cpu)?);
        let per_second = used * 1_000_000_000 / u128::try_from(window.as_nanos()).ok()?;
        Some(Rate { last, window, nano_cores: u64::try_from(per_second).unwrap_or(u64::MAX) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64, cpu: u64) -> Reading {
        let usage = Usage { cpu, working_set: 7, ..Usage::default() };
        Reading { at: Timestamp::from_second(second).expect("a time"), usage }
    }

    #[test]
    fn a_rate_is_told_from_two_readings() {
        let meter = Meter::default();
        meter.note("c", at(100, 5_000_000_000), None);
        assert_eq!((meter.rate("c"), meter.last("c")), (None, Some(at(100, 5_000_000_000))));
        meter.note("c", at(110, 7_500_000_000), None);
        let rate = meter.rate("c").expect("told");
        assert_eq!((rate.nano_cores, rate.window.as_secs(), rate.last.usage.working_set), (250_000_000, 10, 7));
        assert_eq!(meter.rate("other"), None);
    }

    #[test]
    fn a_young_container_is_known_from_its_start() {
        let start = |second| Some(Timestamp::from_second(second).expect("a time"));
        for (started, nano_cores) in [(92, Some(500_000_000)), (97, None), (79, None)] {
            let meter = Meter::default();
            meter.note("c", at(100, 4_000_000_000), start(started));
            assert_eq!(meter.rate("c").map(|rate| rate.nano_cores), nano_cores, "{started}");
        }
    }

    #[test]
    fn time_that_runs_backwards_has_no_rate() {
        let meter = Meter::default();
        meter.note("c", at(100, 9), None);
        meter.note("c", at(90, 9), None);
        assert_eq!(meter.rate("c"), None);
        meter.note("c", at(100, 3), None);
        assert_eq!(meter.rate("c"), None);
    }
}
