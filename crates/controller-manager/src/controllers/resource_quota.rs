//! Resource quotas: what there is in a namespace is counted, and stands in the status of its quotas.
//!
//! The API server adds what is made as it is made (`api::quota`); here is what that cannot see: what ends, goes or gives
//! back, and quotas that are new. A count that is a moment behind what the server has added is made right a second later.

use std::sync::Arc;
use std::time::Duration;

use nakhoda_api::GroupResource;
use nakhoda_api::kinds::core::{PersistentVolumeClaim, Pod, ResourceQuota, Service};
use nakhoda_api::kinds::resource::ResourceClaim;
use nakhoda_api::quota::{self, Measured};
use nakhoda_api::resources::Amounts;
use nakhoda_client::{Change, Informer, Key, Outcome, Reconcile, Resource, Result};

use crate::context::{Context, Watches};

mod counters;
mod plan;

use counters::{Counters, News, Number};

const NAME: &str = "resourcequota";
const WORKERS: usize = 5;
/// When what was made is counted: the API server has added it already.
const SETTLED: Duration = Duration::from_secs(1);
/// When everything is counted anyway: a pod that does not end in time is told by nobody.
const AGAIN: Duration = Duration::from_mins(5);
/// When a kind that is not served is looked for again.
const UNSERVED: Duration = Duration::from_secs(30);

/// Starts the controller.
pub fn start(cx: &Context) {
    let quotas = cx.informers.of::<ResourceQuota>();
    let mut watches = Watches::new(cx, NAME);
    watches.on_change(&quotas, |change| if plan::asks(change) { vec![change.key()] } else { Vec::new() });
    let (all, queue) = (quotas.clone(), watches.queue().clone());
    let counters = Counters::new(cx, move |resource, news| {
        let keys = |namespace| plan::counting(&all, resource, namespace).into_iter();
        match &news {
            News::Same => {}
            News::All => keys(None).for_each(|key| queue.add(key)),
            News::Fewer(namespace) => keys(Some(namespace)).for_each(|key| queue.add(key)),
            News::More(namespace) => keys(Some(namespace)).for_each(|key| queue.add_after(key, SETTLED)),
        }
    });
    let objects = Objects {
        pods: measure(cx, &mut watches, &quotas),
        services: measure(cx, &mut watches, &quotas),
        volume_claims: measure(cx, &mut watches, &quotas),
        device_claims: measure(cx, &mut watches, &quotas),
    };
    watches.run(WORKERS, Quotas { cx: cx.clone(), quotas, objects, counters });
}

/// Follows a kind of which more counts than the number.
fn measure<K: Resource + Measured>(cx: &Context, watches: &mut Watches, quotas: &Informer<ResourceQuota>) -> Informer<K> {
    let objects = cx.informers.of::<K>();
    let (all, queue) = (quotas.clone(), watches.queue().clone());
    watches.on_change(&objects, move |change| {
        let keys = plan::woken(&all, &resource::<K>(), change, crate::clock::now());
        if matches!(change, Change::Added(_)) {
            keys.into_iter().for_each(|key| queue.add_after(key, SETTLED));
            return Vec::new();
        }
        keys
    });
    objects
}

fn resource<K: Resource>() -> GroupResource {
    GroupResource::new(K::GROUP, K::URL_PATH_SEGMENT)
}

/// The kinds of which more counts than the number.
struct Objects {
    pods: Informer<Pod>,
    services: Informer<Service>,
    volume_claims: Informer<PersistentVolumeClaim>,
    device_claims: Informer<ResourceClaim>,
}

struct Quotas {
    cx: Context,
    quotas: Informer<ResourceQuota>,
    objects: Objects,
    counters: Arc<Counters>,
}

// === impl Objects ===

impl Objects {
    fn used(&self, quota: &ResourceQuota) -> Amounts {
        let mut used = of(&self.pods, quota);
        used.extend(of(&self.services, quota));
        used.extend(of(&self.volume_claims, quota));
        used.extend(of(&self.device_claims, quota));
        used
    }
}

fn of<K: Resource + Measured>(objects: &Informer<K>, quota: &ResourceQuota) -> Amounts {
    let objects = objects.in_namespace(quota.namespace());
    quota::used(quota, &resource::<K>(), objects.iter().map(|o| &**o as &dyn Measured), crate::clock::now())
}

// === impl Quotas ===

impl Reconcile for Quotas {
    fn name(&self) -> &'static str {
        NAME
    }

    async fn reconcile(&self, key: &Key) -> Result<Outcome> {
        let Some(quota) = self.quotas.get(key) else { return Ok(Outcome::Done) };
        let (mut used, mut again) = (self.objects.used(&quota), AGAIN);
        for resource in plan::numbered(&quota) {
            match self.counters.number(&resource, quota.namespace()).await? {
                Number::Of(number) => used.extend(plan::numbers(&quota, &resource, number)),
                // the counter tells when it has counted
                Number::Unknown => {}
                Number::Unserved => again = UNSERVED,
            }
        }
        if let Some(status) = plan::status(&quota, used) {
            let next = ResourceQuota { status: Some(status), ..ResourceQuota::clone(&quota) };
            match self.cx.client.namespaced::<ResourceQuota>(quota.namespace()).update_status(&next).await {
                Err(error) if !error.is_not_found() => return Err(error),
                _ => {}
            }
        }
        Ok(Outcome::After(again))
    }
}
