//! One attempt to place a gang: all that it needs, or nothing.

use std::cmp::Reverse;
use std::sync::Arc;

use nakhoda_client::{Client, Key, clock};

use super::Engine;
use crate::cluster::Lifted;
use crate::cycle::{Decision, decide};
use crate::framework::{Cycle, Step};
use crate::pod::PodInfo;
use crate::preempt::{self, Outcome};
use crate::report;

const UNSCHEDULABLE: &str = "pod group is unschedulable";
const PREEMPTING: &str = "pod group is waiting for preemption to complete";

/// What would become of the gang.
#[derive(Default)]
struct Trial {
    placed: Vec<Seat>,
    refused: Vec<(Arc<PodInfo>, Vec<&'static str>, String)>,
    /// Pods that would have to leave.
    lifted: Vec<Lifted>,
    /// The plugins that stood in the way of any member.
    by: Vec<&'static str>,
}

/// A member at a node.
struct Seat {
    pod: Arc<PodInfo>,
    node: String,
    steps: Vec<Step>,
    /// Who leaves for it.
    victims: Vec<Arc<PodInfo>>,
}

// === impl Engine ===

impl Engine {
    /// Places all members that wait, if that makes the gang whole; `first` is the one that was due.
    pub(super) fn attempt_gang(&mut self, client: &Client, key: &Key, first: Arc<PodInfo>, needed: usize) {
        let now = clock::instant();
        let mut members: Vec<Arc<PodInfo>> =
            self.gangs.waiting(key).iter().filter_map(|pod| self.queue.take(&pod.uid)).collect();
        members.push(first);
        members.sort_by_key(|pod| Reverse(self.profiles.own(pod).rank(pod)));
        let trial = self.try_gang(members);
        self.counts.decided(now.elapsed());
        let whole = self.gangs.placed(key) + trial.placed.len() >= needed;
        if whole && trial.lifted.is_empty() {
            self.seat(client, key, trial);
        } else {
            self.dissolve(client, key, trial, whole);
        }
    }

    /// Decides for one member after the other, each counting on those before it.
    fn try_gang(&mut self, members: Vec<Arc<PodInfo>>) -> Trial {
        let mut trial = Trial::default();
        for pod in members {
            let framework = self.profiles.own(&pod);
            framework.tally(&mut self.cluster, &pod);
            let draw = clock::chance::<u32>() as usize;
            let (node, victims) = match decide(&framework, &self.cluster, &pod, &mut self.sampling, draw) {
                Decision::Place(slot) => (self.cluster.at(slot).name.clone(), Vec::new()),
                Decision::NoNodes => {
                    trial.refused.push((pod, Vec::new(), report::NO_NODES.into()));
                    continue;
                }
                Decision::Unfit(diagnosis) => {
                    trial.by.extend(diagnosis.plugins());
                    match preempt::plan(&framework, &mut self.cluster, &pod, &diagnosis) {
                        Outcome::Evict { node, victims } => (node, victims),
                        Outcome::Off => {
                            trial.refused.push((pod, diagnosis.plugins(), report::unfit(&diagnosis, None)));
                            continue;
                        }
                        Outcome::Useless(why) => {
                            let text = report::unfit(&diagnosis, Some(&why));
                            trial.refused.push((pod, diagnosis.plugins(), text));
                            continue;
                        }
                    }
                }
            };
            trial.lifted.extend(victims.iter().filter_map(|victim| self.cluster.lift(&victim.uid)));
            let steps = match self.cluster.node(&node) {
                Some(at) => framework.steps(Cycle { pod: &pod, cluster: &self.cluster }, at),
                None => Vec::new(),
            };
            self.cluster.assume(pod.clone(), &node);
            self.cluster.assume_steps(&pod, &steps);
            trial.placed.push(Seat { pod, node, steps, victims });
        }
        trial
    }

    fn seat(&mut self, client: &Client, key: &Key, trial: Trial) {
        for Seat { pod, node, steps, .. } in trial.placed {
            self.gangs.place(&pod);
            self.cluster.pressures_mut().expect(&pod, &node, clock::instant());
            let patience = self.profiles.own(&pod).patience();
            self.actions.bind(client, pod, node, steps, patience);
        }
        for (pod, by, why) in trial.refused {
            self.refuse(client, &pod, by, &why, None);
        }
        self.tell_group(client, key, true, "");
    }

    /// Everything as before; if others can make room for all, they are asked to.
    fn dissolve(&mut self, client: &Client, key: &Key, trial: Trial, makes_room: bool) {
        for seat in &trial.placed {
            self.cluster.forget(&seat.pod.uid);
            self.cluster.forget_steps(&seat.steps);
        }
        for lifted in trial.lifted {
            self.cluster.restore(lifted);
        }
        let mut by = trial.by;
        by.sort_unstable();
        by.dedup();
        let why = if makes_room { PREEMPTING } else { UNSCHEDULABLE };
        for Seat { pod, node, victims, .. } in trial.placed {
            let nominated = makes_room.then_some(node);
            if let Some(node) = &nominated {
                self.take_over(client, &pod, node);
                self.actions.evict(client, victims, &pod, node);
            }
            self.refuse(client, &pod, by.clone(), why, nominated);
        }
        for (pod, by, why) in trial.refused {
            self.refuse(client, &pod, by, &why, None);
        }
        self.tell_group(client, key, false, why);
    }

    fn tell_group(&self, client: &Client, key: &Key, scheduled: bool, message: &str) {
        if let Some(group) = self.gangs.get(key) {
            self.actions.tell_group(client, group, scheduled, message);
        }
    }
}
