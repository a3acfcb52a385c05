//! HorizontalPodAutoscaler `autoscaling/v1`: another view of `autoscaling/v2`, in whose form it is stored. What has no
//! field here stands in annotations.

mod conversion;

use std::collections::BTreeMap;

use nakhoda_api::field::Errors;
use nakhoda_api::kinds::autoscaling as v2;
use nakhoda_api::kinds::autoscaling_v1::HorizontalPodAutoscaler;
use nakhoda_api::{GroupVersionKind, Object, Scope};

use super::horizontal_pod_autoscaler::{ANNOTATIONS, HorizontalPodAutoscalers as Stored, cells};
use crate::kind::{Columns, Cx, Info, Kind, STATUS};
use crate::rules::check::keep_status;

/// The kind.
pub struct HorizontalPodAutoscalers;

impl Kind for HorizontalPodAutoscalers {
    type Object = HorizontalPodAutoscaler;

    fn info() -> Info {
        let stored = Stored::info();
        Info {
            short: stored.short,
            categories: stored.categories,
            subresources: &[STATUS],
            unshown: &ANNOTATIONS,
            ..Info::of::<HorizontalPodAutoscaler>(stored.plural, stored.singular, Scope::Namespaced)
        }
    }

    fn default(hpa: &mut HorizontalPodAutoscaler) {
        let Some(mut stored) = stored(hpa) else { return };
        Stored::default(&mut stored);
        let seen = Object::from_typed(&stored).ok().map(Self::from_storage);
        if let Some(seen) = seen.and_then(|object| object.typed().ok()) {
            *hpa = seen;
        }
    }

    fn prepare(cx: &Cx, new: &mut HorizontalPodAutoscaler, old: Option<&HorizontalPodAutoscaler>) {
        keep_status(cx, &mut new.status, old.map(|o| &o.status));
        if cx.subresource.is_empty() {
            let old = old.and_then(|o| o.metadata.annotations.as_ref());
            let mut annotations = new.metadata.annotations.take().unwrap_or_default();
            keep_told(&mut annotations, old);
            new.metadata.annotations = Some(annotations).filter(|a| !a.is_empty());
        }
    }

    fn validate(cx: &Cx, new: &HorizontalPodAutoscaler, old: Option<&HorizontalPodAutoscaler>, errors: &mut Errors) {
        if let Some(new) = stored(new) {
            Stored::validate(cx, &new, old.and_then(stored).as_ref(), errors);
        }
    }

    fn columns() -> Columns<HorizontalPodAutoscaler> {
        Columns::named()
            .text("Reference", |h: &HorizontalPodAutoscaler, _| cells::reference(&seen(h)).into())
            .text("Targets", |h, _| cells::targets(&seen(h)).into())
            .text("MinPods", |h, _| cells::least(&seen(h)).into())
            .text("MaxPods", |h, _| h.spec.max_replicas.into())
            .text("Replicas", |h, _| h.status.as_ref().map_or(0, |s| s.current_replicas).into())
            .age()
    }

    const CONVERTED: bool = true;

    fn to_storage(object: Object) -> Object {
        let mut object = conversion::up(object);
        object.set_gvk(&GroupVersionKind::new("autoscaling", "v2", "HorizontalPodAutoscaler"));
        object
    }

    fn from_storage(object: Object) -> Object {
        let mut object = conversion::down(object);
        object.set_gvk(&GroupVersionKind::new("autoscaling", "v1", "HorizontalPodAutoscaler"));
        object
    }
}

fn stored(hpa: &HorizontalPodAutoscaler) -> Option<v2::HorizontalPodAutoscaler> {
    HorizontalPodAutoscalers::to_storage(Object::from_typed(hpa).ok()?).typed().ok()
}

fn seen(hpa: &HorizontalPodAutoscaler) -> v2::HorizontalPodAutoscaler {
    stored(hpa).unwrap_or_default()
}

/// Annotations that hold a part of the status: only a write of the status changes them.
fn keep_told(new: &mut BTreeMap<String, String>, old: Option<&BTreeMap<String, String>>) {
    for key in conversion::TOLD {
        match old.and_then(|old| old.get(*key)) {
            Some(value) => new.insert((*key).into(), value.clone()),
            None => new.remove(*key),
        };
    }
}
