//! Priority and fairness: which requests run now, which wait for which, and which are refused.
//!
//! A request is classified by the first FlowSchema that matches it, and belongs to the schema's priority level. A level has seats;
//! what finds none waits in one of the level's queues, chosen by shuffle sharding, so that one flow can fill only its own hand
//! of queues, and the queues take turns by the work that they have had. Lists take more seats than one; watches hold theirs until
//! they are set up; other streams take none. Idle seats are lent between levels every ten seconds.
//!
//! The objects are followed by [`follow`]; until they are read, the seeds of [`crate::bootstrap::flow`] stand in.
//! Absent: the further work that a write makes for many watchers (upstream's final seats).

pub mod follow;
pub mod hand;
pub mod level;
mod meter;
pub mod queues;
pub mod schema;
pub mod seats;
pub mod shares;

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use arc_swap::ArcSwap;
use nakhoda_api::Status;
use nakhoda_api::kinds::flowcontrol::{FlowSchema, PriorityLevelConfiguration};
use nakhoda_daemon::metrics::Metrics;

use crate::bootstrap::flow;
use crate::request::Request;
use crate::storage::Storage;
use crate::user::User;
use level::{Level, Place};
use schema::Schema;

/// By which schema and level a request was let in or refused, for the headers of the answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Classified {
    /// Of the FlowSchema; empty before there are objects.
    pub schema: String,
    /// Of the PriorityLevelConfiguration.
    pub level: String,
}

/// Where the pipeline leaves the classification for the front.
pub type Slot = Arc<OnceLock<Arc<Classified>>>;

/// How long a request waits at most: a quarter of what it may take in all.
const WAIT: std::time::Duration = std::time::Duration::from_secs(15);

/// The levels and the way to them. Cheap to clone.
#[derive(Clone)]
pub struct Flow {
    inner: Arc<Inner>,
}

struct Inner {
    seats: u32,
    config: ArcSwap<Config>,
    meter: meter::Meter,
}

/// What the objects say, made ready.
#[derive(Default)]
struct Config {
    /// In the order in which they are tried.
    schemas: Vec<Entry>,
    levels: BTreeMap<String, Arc<Level>>,
}

/// A schema with the level that it leads to.
struct Entry {
    schema: Schema,
    level: Arc<Level>,
    classified: Arc<Classified>,
    series: meter::Series,
}

// === impl Flow ===

impl Flow {
    /// So many seats in all, divided as the seeds say.
    #[must_use]
    pub fn new(seats: usize, metrics: &Metrics) -> Self {
        let (config, meter) = (ArcSwap::default(), meter::Meter::new(metrics));
        let flow = Self { inner: Arc::new(Inner { seats: u32::try_from(seats).unwrap_or(u32::MAX), config, meter }) };
        flow.configure(flow::schemas(), flow::levels());
        flow
    }

    /// Takes over what the objects say now. Levels that stay keep who waits in them. The mandatory objects that are
    /// missing are as they should be.
    pub fn configure(&self, schemas: &[FlowSchema], levels: &[PriorityLevelConfiguration]) {
        let old = self.inner.config.load();
        let missing = [flow::EXEMPT, flow::CATCH_ALL].into_iter().filter_map(flow::mandatory_level);
        let missing = missing.filter(|level| !levels.iter().any(|l| l.metadata.name == level.metadata.name));
        let all: Vec<_> = levels.iter().cloned().chain(missing).collect();
        let levels: BTreeMap<_, _> = shares::settings(&all, self.inner.seats)
            .into_iter()
            .map(|settings| {
                let level = old.levels.get(&settings.name).cloned().unwrap_or_default();
                self.inner.meter.limits(&settings);
                level.configure(settings.clone());
                (settings.name, level)
            })
            .collect();
        let mandatory = [flow::EXEMPT, flow::CATCH_ALL].into_iter().filter_map(flow::mandatory_schema);
        let mandatory = mandatory.filter(|schema| !schemas.iter().any(|s| s.metadata.name == schema.metadata.name));
        let mut schemas: Vec<Entry> =
            schemas.iter().cloned().chain(mandatory).filter_map(|schema| self.entry(&schema, &levels)).collect();
        schemas.sort_by(|a, b| a.schema.rank().cmp(&b.schema.rank()));
        self.inner.config.store(Arc::new(Config { schemas, levels }));
    }

    /// A schema whose level does not exist matches nothing.
    fn entry(&self, schema: &FlowSchema, levels: &BTreeMap<String, Arc<Level>>) -> Option<Entry> {
        let level = levels.get(&schema.spec.priority_level_configuration.name)?.clone();
        let uid = schema.metadata.uid.clone().unwrap_or_default();
        let classified = Arc::new(Classified { schema: uid, level: level.settings().uid.clone() });
        let schema = Schema::new(schema);
        let series = self.inner.meter.series(&level.settings().name, schema.name());
        Some(Entry { schema, level, classified, series })
    }

    /// Lends idle seats: to be called every [`shares::PERIOD`].
    pub fn lend(&self) {
        let config = self.inner.config.load();
        let levels: Vec<&Arc<Level>> = config.levels.values().filter(|level| !level.settings().exempt).collect();
        let bounds: Vec<shares::Bounds> = levels.iter().map(|level| level.bounds()).collect();
        let total = levels.iter().map(|level| level.settings().nominal).sum();
        for (level, seats) in levels.iter().zip(shares::allocate(total, &bounds)) {
            level.limit(seats);
            self.inner.meter.current(&level.settings().name, seats);
        }
    }

    /// A place for a request, held until it is answered; waits for one, or refuses.
    pub async fn enter(&self, request: &Request, user: &User, storage: &Storage) -> Result<Option<Place>, Status> {
        let config = self.inner.config.load_full();
        let asked = schema::Asked { user, target: &request.target, verb: request.verb() };
        let Some(entry) = config.schemas.iter().find(|entry| entry.schema.matches(&asked)) else { return Ok(None) };
        if let Some(slot) = &request.caller.flow {
            // set once: nothing else writes it
            let _ = slot.set(entry.classified.clone());
        }
        let settings = entry.level.settings();
        if settings.exempt {
            entry.series.dispatched.inc();
            return Ok(None);
        }
        let seats = seats::of(request, storage, settings.widest);
        let hash = entry.schema.hash(&asked);
        drop(settings);
        match entry.level.enter(hash, seats, WAIT, &entry.series).await {
            Ok(place) => {
                entry.series.dispatched.inc();
                Ok(Some(place))
            }
            Err(reason) => {
                self.inner.meter.rejected(&entry.level.settings().name, entry.schema.name(), reason);
                Err(Status::too_many_requests("Too many requests, please try again later.", 1))
            }
        }
    }
}

#[cfg(test)]
mod tests;
