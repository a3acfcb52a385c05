//! How many objects there are of a resource: a watch of each resource that some quota limits the number of.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use nakhoda_api::status::chain;
use nakhoda_api::{GroupResource, Object};
use nakhoda_client::runtime::watcher::{Event, Watcher};
use nakhoda_client::{Client, Result, Selection};
use nakhoda_daemon::Tasks;
use parking_lot::Mutex;

use crate::context::Context;
use crate::served::Served;

type Wake = Box<dyn Fn(&GroupResource, News) + Send + Sync>;

/// The counters.
pub(super) struct Counters {
    client: Client,
    tasks: Tasks,
    all: Mutex<HashMap<GroupResource, Counter>>,
    wake: Wake,
}

/// The names of the objects of a resource by namespace; nothing until they have been read.
type Counter = Option<Names>;
type Names = BTreeMap<String, BTreeSet<String>>;

/// What became of the numbers of a resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum News {
    /// They are as they were.
    Same,
    /// Any may be another one.
    All,
    /// There are more in this namespace.
    More(String),
    /// There are fewer in this namespace.
    Fewer(String),
}

/// What is known of a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Number {
    /// There are so many.
    Of(usize),
    /// The objects are being read.
    Unknown,
    /// There is no such resource.
    Unserved,
}

// === impl Counters ===

impl Counters {
    /// None yet. `wake` is told when numbers change.
    pub(super) fn new(cx: &Context, wake: impl Fn(&GroupResource, News) + Send + Sync + 'static) -> Arc<Self> {
        let client = cx.informers.client().clone();
        Arc::new(Self { client, tasks: cx.tasks.clone(), all: Mutex::default(), wake: Box::new(wake) })
    }

    /// How many objects of a resource there are in a namespace.
    pub(super) async fn number(self: &Arc<Self>, resource: &GroupResource, namespace: &str) -> Result<Number> {
        if let Some(counter) = self.all.lock().get(resource) {
            return Ok(counter.as_ref().map_or(Number::Unknown, |names| {
                Number::Of(names.get(namespace).map_or(0, BTreeSet::len))
            }));
        }
        let served = Served::all(&self.client.discover().await?);
        let is = |s: &&Served| s.gvr.group_resource() == *resource && s.namespaced && s.can(&["list", "watch"]);
        let Some(served) = served.iter().find(is) else { return Ok(Number::Unserved) };
        if self.all.lock().insert(resource.clone(), None).is_none() {
            let watcher = Watcher::new(self.client.dynamic(&served.gvr, None), Selection::default());
            let name = format!("quotas count {}", resource.resource);
            self.tasks.spawn(name, self.clone().follow(resource.clone(), watcher));
        }
        Ok(Number::Unknown)
    }

    async fn follow(self: Arc<Self>, resource: GroupResource, mut watcher: Watcher<Object>) {
        loop {
            match watcher.next().await {
                Ok(event) => {
                    let news = self.all.lock().get_mut(&resource).map(|counter| apply(counter, event));
                    (self.wake)(&resource, news.unwrap_or(News::Same));
                }
                Err(error) if error.is_not_found() => {
                    // served no more: whoever still counts it looks whether it is there
                    self.all.lock().remove(&resource);
                    return (self.wake)(&resource, News::All);
                }
                Err(error) => {
                    tracing::debug!(resource = resource.resource, error = chain(&error), "watch failed; trying again");
                }
            }
        }
    }
}

/// Takes in what happened.
fn apply(counter: &mut Counter, event: Event<Object>) -> News {
    match event {
        Event::Replaced(all) => {
            let names = counter.insert(Names::new());
            for object in &all {
                names.entry(object.namespace().to_owned()).or_default().insert(object.name().to_owned());
            }
            News::All
        }
        Event::Applied(object) => {
            let there = counter.get_or_insert_default().entry(object.namespace().to_owned()).or_default();
            let new = there.insert(object.name().to_owned());
            if new { News::More(object.namespace().to_owned()) } else { News::Same }
        }
        Event::Deleted(object) => {
            let names = counter.get_or_insert_default();
            if let Some(there) = names.get_mut(object.namespace()) {
                there.remove(object.name());
                if there.is_empty() {
                    names.remove(object.namespace());
                }
            }
            News::Fewer(object.namespace().to_owned())
        }
    }
}

#[cfg(test)]
mod tests {
    use nakhoda_api::Object;
    use serde_json::json;

    use super::*;

    #[test]
    fn names_are_counted_by_namespace_and_a_relist_forgets_what_is_gone() {
        let object = |namespace: &str, name: &str| {
            Object::from_value(json!({"metadata": {"namespace": namespace, "name": name}})).expect("an object")
        };
        let mut counter = None;
        let number = |counter: &Counter| counter.as_ref().map(|n| n.get("a").map_or(0, BTreeSet::len));
        assert_eq!(apply(&mut counter, Event::Replaced(vec![object("a", "x"), object("b", "x")])), News::All);
        assert_eq!(apply(&mut counter, Event::Applied(object("a", "x"))), News::Same);
        assert_eq!(number(&counter), Some(1));
        assert_eq!(apply(&mut counter, Event::Applied(object("a", "y"))), News::More("a".into()));
        assert_eq!(number(&counter), Some(2));
        assert_eq!(apply(&mut counter, Event::Deleted(object("a", "x"))), News::Fewer("a".into()));
        assert_eq!(number(&counter), Some(1));
        apply(&mut counter, Event::Replaced(Vec::new()));
        assert_eq!(number(&counter), Some(0));
    }
}
