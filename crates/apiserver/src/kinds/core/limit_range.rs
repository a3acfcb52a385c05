//! LimitRange: what pods, containers and claims of a namespace ask for if they do not say, at least and at most.

use std::collections::BTreeSet;

use nakhoda_api::field::{Errors, Path};
use nakhoda_api::kinds::core::{LimitRange, LimitRangeItem};
use nakhoda_api::quantity::{Format, Quantity};
use nakhoda_api::{Scope, names};

use crate::kind::{Columns, Cx, Info, Kind};
use crate::rules::check::each;
use crate::rules::defaults::{Resources, quantities};
use crate::rules::pod::resources::{container_name, may_overcommit, name};

/// The kind.
pub struct LimitRanges;

impl Kind for LimitRanges {
    type Object = LimitRange;

    fn info() -> Info {
        Info {
            short: &["limits"],
            create_on_update: true,
            ..Info::of::<LimitRange>("limitranges", "limitrange", Scope::Namespaced)
        }
    }

    fn default(range: &mut LimitRange) {
        for item in &mut range.spec.get_or_insert_default().limits {
            for amounts in
                [&mut item.max, &mut item.min, &mut item.default, &mut item.default_request, &mut item.max_limit_request_ratio]
            {
                quantities(amounts);
            }
            if item.type_ == "Container" {
                let limits = item.default.get_or_insert_default();
                missing(limits, item.max.as_ref());
                let requests = item.default_request.get_or_insert_default();
                missing(requests, Some(limits));
                missing(requests, item.min.as_ref());
            }
        }
    }

    fn columns() -> Columns<LimitRange> {
        Columns::created()
    }

    fn validate(_: &Cx, new: &LimitRange, _: Option<&LimitRange>, errors: &mut Errors) {
        let mut types = BTreeSet::new();
        for (i, item) in new.spec.iter().flat_map(|spec| &spec.limits).enumerate() {
            let path = Path::new("spec").child("limits").index(i);
            type_name(errors, &path.child("type"), &item.type_);
            if !types.insert(&item.type_) {
                errors.duplicate(&path.child("type"), item.type_.as_str());
            }
            item_names(errors, &path, item);
            let lists = [&item.min, &item.max, &item.default, &item.default_request, &item.max_limit_request_ratio];
            let keys: BTreeSet<&String> = lists.into_iter().flatten().flat_map(|list| list.keys()).collect();
            for key in keys {
                order(errors, &path, item, key);
                ratio(errors, &path.child("maxLimitRequestRatio").key(key), item, key);
            }
        }
    }
}

fn missing(into: &mut Resources, from: Option<&Resources>) {
    for (key, value) in from.into_iter().flatten() {
        into.entry(key.clone()).or_insert_with(|| value.clone());
    }
}

fn type_name(errors: &mut Errors, path: &Path, value: &str) {
    let faults = names::is_qualified_name(value);
    if faults.is_empty() && !value.contains('/') && !["Pod", "Container", "PersistentVolumeClaim"].contains(&value) {
        errors.invalid(path, value, "must be a standard limit type or fully qualified");
    }
    each(errors, path, value, faults);
}

fn item_names(errors: &mut Errors, path: &Path, item: &LimitRangeItem) {
    let check = if ["Pod", "Container"].contains(&item.type_.as_str()) { container_name } else { name };
    let all = |field: &str, amounts: &Option<Resources>, errors: &mut Errors| {
        for key in amounts.iter().flat_map(|a| a.keys()) {
            check(errors, &path.child(field).key(key), key);
        }
    };
    all("max", &item.max, errors);
    all("min", &item.min, errors);
    for (field, amounts) in [("default", &item.default), ("defaultRequest", &item.default_request)] {
        if item.type_ != "Pod" {
            all(field, amounts, errors);
        } else if amounts.as_ref().is_some_and(|a| !a.is_empty()) {
            errors.forbidden(&path.child(field), "may not be specified when `type` is 'Pod'");
        }
    }
    let stored = |amounts: &Option<Resources>| amounts.as_ref().is_some_and(|a| a.contains_key("storage"));
    if item.type_ == "PersistentVolumeClaim" && !stored(&item.min) && !stored(&item.max) {
        let why = "either minimum or maximum storage value is required, but neither was provided";
        errors.required(&path.child("limits"), why);
    }
    all("maxLimitRequestRatio", &item.max_limit_request_ratio, errors);
}

fn of(amounts: &Option<Resources>, key: &str) -> Option<Quantity> {
    amounts.as_ref()?.get(key)?.try_into().ok()
}

/// Least ≤ default request ≤ default limit ≤ most.
fn order(errors: &mut Errors, path: &Path, item: &LimitRangeItem, key: &str) {
    let (min, max) = (of(&item.min, key), of(&item.max, key));
    let defaults = item.type_ != "Pod";
    let (limit, request) =
        (of(&item.default, key).filter(|_| defaults), of(&item.default_request, key).filter(|_| defaults));
    let rules = [
        ("min", min, "min", max, "max", min),
        ("defaultRequest", min, "min", request, "default request", request),
        ("defaultRequest", request, "default request", max, "max", request),
        ("defaultRequest", request, "default request", limit, "default limit", request),
        ("default", min, "min", limit, "default", min),
        ("default", limit, "default", max, "max", max),
    ];
    for (field, low, low_name, high, high_name, shown) in rules {
        let (Some(low), Some(high), Some(shown)) = (low, high, shown) else { continue };
        if low > high {
            let why = format!("{low_name} value {low} is greater than {high_name} value {high}");
            errors.invalid(&path.child(field).key(key), shown.to_string(), why);
        }
    }
    if let (Some(limit), Some(request)) = (limit, request)
        && !may_overcommit(key)
        && limit != request
    {
        let why = format!("default value {limit} must equal to defaultRequest value {request} in {key}");
        errors.invalid(&path.child("defaultRequest").key(key), request.to_string(), why);
    }
}

fn ratio(errors: &mut Errors, path: &Path, item: &LimitRangeItem, key: &str) {
    let Some(ratio) = of(&item.max_limit_request_ratio, key) else { return };
    if ratio < Quantity::new(1, Format::DecimalSi) {
        errors.invalid(path, ratio.to_string(), format!("ratio {ratio} is less than 1"));
    }
    let (Some(min), Some(max)) = (of(&item.min, key), of(&item.max, key)) else { return };
    // ratio × min > max, without a division
    if ratio.nano().saturating_mul(min.nano()) > max.nano().saturating_mul(1_000_000_000) {
        #[allow(clippy::cast_precision_loss, reason = "the number is only shown")]
        let most = max.nano() as f64 / min.nano() as f64;
        errors.invalid(path, ratio.to_string(), format!("ratio {ratio} is greater than max/min = {most:.6}"));
    }
}

#[cfg(test)]
mod tests {
    use crate::kinds::testing::create;

    use super::*;

    #[test]
    fn the_row_tells_when_it_was_made_not_how_old_it_is() {
        let heads: Vec<_> = LimitRanges::columns().head().into_iter().map(|head| (head.name, head.type_)).collect();
        assert_eq!(heads, [("Name", "string"), ("Created At", "date")]);
    }

    #[test]
    fn amounts_stand_in_order() {
        let item = serde_json::json!({"type": "Container", "min": {"cpu": "2"}, "max": {"cpu": "1"}, "default": {"cpu": "1"}, "defaultRequest": {"cpu": "1"}});
        let errors = create::<LimitRanges>(serde_json::json!({"spec": {"limits": [item]}}));
        assert!(errors.contains("spec.limits[0].min[cpu]: Invalid value: \"2\": min value 2 is greater than max value 1"), "{errors}");
    }

    #[test]
    fn a_container_range_fills_its_defaults() {
        let item = LimitRangeItem {
            type_: "Container".into(),
            max: Some([("cpu".to_owned(), nakhoda_api::kinds::Quantity("1".into()))].into()),
            ..LimitRangeItem::default()
        };
        let spec = nakhoda_api::kinds::core::LimitRangeSpec { limits: vec![item] };
        let mut range = LimitRange { spec: Some(spec), ..LimitRange::default() };
        LimitRanges::default(&mut range);
        let item = &range.spec.expect("kept").limits[0];
        assert_eq!(item.default, item.max);
        assert_eq!(item.default_request, item.max);
    }
}
