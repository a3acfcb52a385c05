//! [`Rules`]: what must hold after every single change. Two hold in every run: a pod has one node for ever,
//! and no node runs more than it can.

use std::collections::BTreeMap;
use std::fs::File;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

use nakhoda_api::kinds::core::Pod;
use nakhoda_client::memory::{Change, Memory};
use nakhoda_client::{Resource, Selection, clock};
use nakhoda_controller_manager::pods::{is_active, is_finished, is_ready, node};
use nakhoda_daemon::Tasks;
use parking_lot::Mutex;
use serde::Deserialize;
use serde_json::Value;

use crate::run::Run;

/// Pods by name.
pub(crate) type Pods = BTreeMap<String, Pod>;

/// Is told all pods and the one that has just come, if one has.
type Rule = Box<dyn FnMut(&Pods, Option<&Pod>) -> Result<(), String> + Send>;

/// The rules of a run, and what it has seen. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Rules {
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    pods: Pods,
    rules: Vec<Rule>,
    /// How often an object of each resource was written.
    writes: BTreeMap<String, u32>,
    /// How many pods each ReplicaSet is to have, and how many all together at most.
    sets: BTreeMap<String, i64>,
    most: Option<i64>,
    story: DefaultHasher,
    /// Where the changes are written to be read.
    told: Option<File>,
}

// === impl Rules ===

impl Rules {
    /// Watches over what is stored; a broken rule fails `tasks`.
    pub(crate) fn new(memory: &Memory, tasks: &Tasks, cores: u32) -> Self {
        let told = std::env::var_os("STORY").map(|path| File::options().create(true).append(true).open(path));
        let told = told.transpose().expect("STORY names a file that can be written");
        let rules = Self { state: Arc::new(Mutex::new(State { told, ..State::default() })) };
        let (state, tasks) = (rules.state.clone(), tasks.clone());
        memory.witness(move |change| {
            if let Err(broken) = state.lock().take_in(change, cores) {
                tasks.fail(broken);
            }
        });
        rules
    }

    /// From now on all ReplicaSets together ask for no more pods than that.
    pub(crate) fn limit_sets(&self, most: i64) {
        self.state.lock().most = Some(most);
    }

    /// The changes so far, in order and to the letter, as a number.
    pub(crate) fn story(&self) -> u64 {
        self.state.lock().story.finish()
    }

    /// How often objects of a resource were written so far.
    pub(crate) fn writes(&self, resource: &str) -> u32 {
        self.state.lock().writes.get(resource).copied().unwrap_or_default()
    }

    /// How often anything but an Event was written so far.
    pub(crate) fn all_writes(&self) -> u32 {
        self.state.lock().writes.iter().filter(|(resource, _)| *resource != "events").map(|(_, count)| count).sum()
    }
}

// === impl State ===

impl State {
    fn take_in_set(&mut self, change: &Change) -> Result<(), String> {
        let set = change.object();
        let name = set["metadata"]["name"].to_string();
        if change.is_deletion() {
            self.sets.remove(&name)
        } else {
            self.sets.insert(name, wanted(set))
        };
        let total: i64 = self.sets.values().sum();
        match self.most {
            Some(most) if total > most => Err(format!("{total} pods are asked for, of {most} at most")),
            _ => Ok(()),
        }
    }

    fn take_in(&mut self, change: &Change, cores: u32) -> Result<(), String> {
        let told = change.object().to_string();
        told.hash(&mut self.story);
        if let Some(file) = &mut self.told {
            let what = if change.is_deletion() { "gone" } else { "is" };
            writeln!(file, "{} {} {what} {told}", clock::now(), change.resource())
                .map_err(|e| format!("STORY: {e}"))?;
        }
        *self.writes.entry(change.resource().to_owned()).or_default() += 1;
        match change.resource() {
            "pods" => {}
            "replicasets" => return self.take_in_set(change),
            _ => return Ok(()),
        }
        let pod = Pod::deserialize(change.object()).map_err(|e| format!("no pod: {e}"))?;
        let name = pod.name().to_owned();
        let before = if change.is_deletion() { self.pods.remove(&name) } else { self.pods.insert(name, pod.clone()) };
        if let Some(before) = &before
            && before.uid() == pod.uid()
            && node(before).is_some()
            && node(before) != node(&pod)
        {
            return Err(format!("{} went from {:?} to {:?}", pod.name(), node(before), node(&pod)));
        }
        within(&self.pods, cores)?;
        let added = (before.is_none() && !change.is_deletion()).then_some(&pod);
        self.rules.iter_mut().try_for_each(|rule| rule(&self.pods, added))
    }
}

fn wanted(set: &Value) -> i64 {
    set["spec"]["replicas"].as_i64().unwrap_or(1)
}

fn within(pods: &Pods, cores: u32) -> Result<(), String> {
    let mut taken: BTreeMap<&str, u32> = BTreeMap::new();
    for pod in pods.values().filter(|pod| !is_finished(pod)) {
        let Some(node) = node(pod) else { continue };
        *taken.entry(node).or_default() += requested(pod);
    }
    match taken.into_iter().find(|(_, taken)| *taken > cores) {
        Some((node, taken)) => Err(format!("{node} runs {taken} cores, of {cores}")),
        None => Ok(()),
    }
}

/// The cores that a pod asks for: the suite's pods ask for whole ones.
fn requested(pod: &Pod) -> u32 {
    let containers = pod.spec.iter().flat_map(|spec| &spec.containers);
    let requests = containers.filter_map(|c| c.resources.as_ref()?.requests.as_ref()?.get("cpu"));
    requests.filter_map(|cpu| cpu.0.parse::<u32>().ok()).sum()
}

/// Whether a pod serves and will go on doing so.
pub(crate) fn is_up(pod: &Pod) -> bool {
    is_ready(pod) && is_active(pod)
}

// === impl Run ===

impl Run {
    /// From now on this must hold.
    pub(crate) fn always(&self, rule: impl FnMut(&Pods, Option<&Pod>) -> Result<(), String> + Send + 'static) {
        self.rules.state.lock().rules.push(Box::new(rule));
    }

    /// Waits until an object is as asked for, and fails if a rule was broken meanwhile.
    pub(crate) async fn until<K: Resource>(&self, name: &str, holds: impl Fn(&K) -> bool) -> K {
        let api = self.client().namespaced::<K>("default");
        loop {
            if let Ok(object) = api.get(name).await
                && holds(&object)
            {
                return object;
            }
            self.second().await;
        }
    }

    /// Waits until the pods are as asked for.
    pub(crate) async fn until_pods(&self, holds: impl Fn(&[Pod]) -> bool) -> Vec<Pod> {
        loop {
            let pods = self.pods().await;
            if holds(&pods) {
                return pods;
            }
            self.second().await;
        }
    }

    /// Lets a second pass; fails if a rule is broken, or a task has panicked.
    pub(crate) async fn second(&self) {
        if let Some(broken) = self.tasks.failure() {
            panic!("{broken}");
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }

    /// Lets time pass.
    pub(crate) async fn seconds(&self, count: u32) {
        for _ in 0..count {
            self.second().await;
        }
    }

    /// All pods.
    pub(crate) async fn pods(&self) -> Vec<Pod> {
        let api = self.client().namespaced::<Pod>("default");
        api.list(&Selection::default()).await.expect("memory refuses nobody").items
    }

    /// What has come to rest stays so, though watches break and leaders change: nothing is written.
    pub(crate) async fn rests(&self) {
        self.seconds(60).await;
        let before = self.rules.all_writes();
        self.seconds(180).await;
        let after = self.rules.all_writes();
        assert_eq!(before, after, "something is written though all is at rest");
    }
}
