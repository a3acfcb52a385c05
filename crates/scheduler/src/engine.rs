//! [`Engine`]: the one task that owns the cluster and the queue. It takes in what the API and the
//! bindings tell, decides for one pod after the other, and hands what follows to [`crate::act`].

use std::sync::Arc;
use std::time::Instant;

use nakhoda_client::leader::Leadership;
use nakhoda_client::{Client, clock};
use tokio::sync::{mpsc, watch};

use crate::act::Actions;
use crate::cluster::Cluster;
use crate::config::Profiles;
use crate::cycle::{Decision, Diagnosis, Sampling, decide};
use crate::deadlines::Deadlines;
use crate::framework::Cycle;
use crate::gangs::Gangs;
use crate::metrics::Counts;
use crate::news::News;
use crate::pod::PodInfo;
use crate::preempt::{self, Outcome};
use crate::queue::Queue;
use crate::report;

mod deadlines;
mod devices;
mod gang;
mod intake;
mod volumes;

const UNSCHEDULABLE: &str = "Unschedulable";

/// Everything the scheduler knows.
pub struct Engine {
    profiles: Profiles,
    cluster: Cluster,
    queue: Queue,
    gangs: Gangs,
    deadlines: Deadlines,
    sampling: Sampling,
    client: Client,
    /// The client with the leader's fence, while this process leads.
    leading: Option<Client>,
    actions: Actions,
    counts: Counts,
}

// === impl Engine ===

impl Engine {
    /// Knows nothing yet. It is responsible for the pods that name one of the profiles.
    #[must_use]
    pub fn new(profiles: Profiles, queue: Queue, client: Client, actions: Actions, counts: Counts) -> Self {
        Self {
            profiles,
            cluster: Cluster::default(),
            queue,
            gangs: Gangs::default(),
            deadlines: Deadlines::default(),
            sampling: Sampling::default(),
            client,
            leading: None,
            actions,
            counts,
        }
    }

    /// Runs until the news end.
    pub async fn run(
        mut self,
        mut news: mpsc::UnboundedReceiver<News>,
        leadership: Option<watch::Receiver<Leadership>>,
    ) {
        let mut leadership = leadership;
        match &mut leadership {
            Some(leadership) => self.lead(&leadership.borrow_and_update().clone()),
            None => self.leading = Some(self.client.clone()),
        }
        loop {
            // A decision shall rest on all that is known.
            while let Ok(news) = news.try_recv() {
                self.take_in(news);
            }
            if self.attempt(clock::instant()) {
                tokio::task::yield_now().await;
                continue;
            }
            self.counts.pending(self.queue.lengths());
            if !self.wait(&mut news, leadership.as_mut()).await {
                return;
            }
        }
    }

    /// Waits for something to happen, or for a pod to be due. False once nothing more can happen.
    async fn wait(
        &mut self,
        news: &mut mpsc::UnboundedReceiver<News>,
        leadership: Option<&mut watch::Receiver<Leadership>>,
    ) -> bool {
        let due =
            self.queue.next_due().into_iter().chain(self.next_deadline()).min().filter(|_| self.leading.is_some());
        let timer = async {
            match due {
                Some(at) => tokio::time::sleep_until(at.into()).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            news = news.recv() => news.map(|news| self.take_in(news)).is_some(),
            changed = changed(leadership) => changed.map(|leadership| self.lead(&leadership)).is_some(),
            () = timer => true,
        }
    }

    fn lead(&mut self, leadership: &Leadership) {
        self.leading = match leadership {
            Leadership::Leader(fence) => Some(self.client.fenced(fence.clone())),
            Leadership::Follower => None,
        };
    }

    /// Decides for one pod. False if none is due, or if another process leads.
    fn attempt(&mut self, now: Instant) -> bool {
        let Some(client) = self.leading.clone() else { return false };
        self.tell_missed(&client);
        self.cluster.pressures_mut().settle(now);
        let Some(pod) = self.queue.pop(now) else { return false };
        if let Some(key) = pod.gang.clone()
            && let Some(needed) = self.gangs.needs(&key)
        {
            self.attempt_gang(&client, &key, pod, needed);
            return true;
        }
        let framework = self.profiles.own(&pod);
        framework.tally(&mut self.cluster, &pod);
        let decision = decide(&framework, &self.cluster, &pod, &mut self.sampling, clock::chance::<u32>() as usize);
        self.counts.decided(now.elapsed());
        match decision {
            Decision::Place(slot) => {
                let node = self.cluster.at(slot);
                let steps = framework.steps(Cycle { pod: &pod, cluster: &self.cluster }, node);
                let node = node.name.clone();
                self.cluster.assume(pod.clone(), &node);
                self.cluster.assume_steps(&pod, &steps);
                self.cluster.pressures_mut().expect(&pod, &node, now);
                self.actions.bind(&client, pod, node, steps, framework.patience());
            }
            Decision::NoNodes => self.refuse(&client, &pod, Vec::new(), report::NO_NODES, None),
            Decision::Unfit(diagnosis) => self.make_room(&client, &pod, &diagnosis),
        }
        true
    }

    fn make_room(&mut self, client: &Client, pod: &Arc<PodInfo>, diagnosis: &Diagnosis) {
        let by = diagnosis.plugins();
        let framework = self.profiles.own(pod);
        match preempt::plan(&framework, &mut self.cluster, pod, diagnosis) {
            Outcome::Off => self.refuse(client, pod, by, &report::unfit(diagnosis, None), None),
            Outcome::Useless(why) => self.refuse(client, pod, by, &report::unfit(diagnosis, Some(&why)), None),
            Outcome::Evict { node, victims } => {
                self.take_over(client, pod, &node);
                self.actions.evict(client, victims, pod, &node);
                self.refuse(client, pod, by, &report::unfit(diagnosis, None), Some(node));
            }
        }
    }

    /// A node is promised to a pod; less important ones lose the promise and look for another.
    fn take_over(&mut self, client: &Client, pod: &Arc<PodInfo>, node: &str) {
        for other in self.cluster.nominations().behind(pod, node) {
            self.cluster.nominations_mut().remove(&other.uid);
            self.actions.renounce(client, &other);
            self.queue.wake(&other.uid, clock::instant());
        }
        self.cluster.nominations_mut().set(pod.clone(), node);
    }

    fn refuse(
        &mut self,
        client: &Client,
        pod: &Arc<PodInfo>,
        by: Vec<&'static str>,
        why: &str,
        nominated: Option<String>,
    ) {
        self.counts.attempt("unschedulable");
        self.queue.refuse(&pod.uid, by, clock::instant());
        self.actions.explain(client, pod, UNSCHEDULABLE, why, nominated);
    }
}

/// Who leads now, once that is another; never if nobody was elected.
async fn changed(leadership: Option<&mut watch::Receiver<Leadership>>) -> Option<Leadership> {
    let Some(leadership) = leadership else { return std::future::pending().await };
    leadership.changed().await.ok()?;
    Some(leadership.borrow_and_update().clone())
}

#[cfg(test)]
mod tests;
