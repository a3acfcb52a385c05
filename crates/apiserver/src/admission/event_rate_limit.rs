//! EventRateLimit: so many events a second of the whole server, of a namespace, of a user, or of a source about an
//! object. Off unless it is asked for; it wants a configuration.

use std::collections::HashMap;
use std::time::Instant;

use futures::future::BoxFuture;
use nakhoda_api::{Object, Status};
use parking_lot::Mutex;
use serde::Deserialize;
use serde_json::Value;

use super::{Attributes, Operation, Plugin};

/// So many keys are remembered if the configuration does not say.
const CACHE: usize = 4096;
const TYPES: [&str; 4] = ["Namespace", "Server", "SourceAndObject", "User"];
/// What makes a source and an object one.
const SOURCE: [&[&str]; 7] = [
    &["source", "component"],
    &["source", "host"],
    &["involvedObject", "kind"],
    &["involvedObject", "namespace"],
    &["involvedObject", "name"],
    &["involvedObject", "uid"],
    &["involvedObject", "apiVersion"],
];

/// The plugin.
#[derive(Default)]
pub struct EventRateLimit {
    limits: Vec<Limit>,
}

struct Limit {
    of: Settings,
    buckets: Mutex<HashMap<String, Bucket>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Settings {
    r#type: String,
    qps: i32,
    burst: i32,
    #[serde(default)]
    cache_size: usize,
}

/// What is left, and since when.
#[derive(Clone, Copy)]
struct Bucket {
    tokens: f64,
    at: Instant,
}

// === impl EventRateLimit ===

impl EventRateLimit {
    /// Without limits.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}

impl Plugin for EventRateLimit {
    fn name(&self) -> &'static str {
        "EventRateLimit"
    }

    fn configure(&mut self, configuration: &Value) -> Result<(), String> {
        let all: Vec<Settings> =
            serde_json::from_value(configuration["limits"].clone()).map_err(|error| format!("limits: {error}"))?;
        if all.is_empty() {
            return Err("limits: Invalid value: []: must not be empty".into());
        }
        for (index, settings) in all.iter().enumerate() {
            settings.check().map_err(|why| format!("limits[{index}].{why}"))?;
        }
        self.limits = all.into_iter().map(|of| Limit { of, buckets: Mutex::default() }).collect();
        Ok(())
    }

    fn handles(&self, attributes: &Attributes<'_>) -> bool {
        let writes = matches!(attributes.operation, Operation::Create | Operation::Update);
        writes && attributes.is("", "events") && !attributes.dry_run
    }

    fn validate<'a>(
        &'a self,
        attributes: &'a Attributes<'a>,
        object: Option<&'a Object>,
    ) -> BoxFuture<'a, Result<(), Status>> {
        let now = Instant::now();
        let over = self.limits.iter().filter_map(|limit| {
            let key = limit.of.key(attributes, object);
            let told = format!("limit reached on type {} for key {key}", limit.of.r#type);
            (!limit.take(key, now)).then_some(told)
        });
        let over: Vec<String> = over.collect();
        Box::pin(async move {
            match over.as_slice() {
                [] => Ok(()),
                [one] => Err(Status::too_many_requests(one.clone(), 0)),
                all => Err(Status::too_many_requests(format!("[{}]", all.join(", ")), 0)),
            }
        })
    }
}

// === impl Settings ===

impl Settings {
    fn check(&self) -> Result<(), String> {
        if !TYPES.contains(&self.r#type.as_str()) {
            let known = TYPES.map(|name| format!("{name:?}")).join(", ");
            return Err(format!("type: Unsupported value: {:?}: supported values: {known}", self.r#type));
        }
        for (name, value) in [("burst", self.burst), ("qps", self.qps)] {
            if value <= 0 {
                return Err(format!("{name}: Invalid value: {value}: must be positive"));
            }
        }
        Ok(())
    }

    fn key(&self, attributes: &Attributes<'_>, object: Option<&Object>) -> String {
        match self.r#type.as_str() {
            "Namespace" => attributes.call.namespace().to_owned(),
            "User" => attributes.call.user.name.clone(),
            "SourceAndObject" => {
                SOURCE.iter().filter_map(|path| object?.str_at(path)).collect()
            }
            _ => String::new(),
        }
    }
}

// === impl Limit ===

impl Limit {
    fn take(&self, key: String, now: Instant) -> bool {
        let (qps, burst) = (f64::from(self.of.qps), f64::from(self.of.burst));
        let full = |bucket: &Bucket| bucket.left(now, qps, burst) >= burst;
        let mut buckets = self.buckets.lock();
        let most = if self.of.cache_size == 0 { CACHE } else { self.of.cache_size };
        if buckets.len() >= most && !buckets.contains_key(&key) {
            // who has all his tokens is known as well as who was never seen
            buckets.retain(|_, bucket| !full(bucket));
            let oldest = buckets.iter().min_by_key(|(_, bucket)| bucket.at).map(|(key, _)| key.clone());
            if let Some(oldest) = oldest.filter(|_| buckets.len() >= most) {
                buckets.remove(&oldest);
            }
        }
        let bucket = buckets.entry(key).or_insert(Bucket { tokens: burst, at: now });
        let left = bucket.left(now, qps, burst);
        let granted = left >= 1.0;
        *bucket = Bucket { tokens: if granted { left - 1.0 } else { left }, at: now };
        granted
    }
}

// === impl Bucket ===

impl Bucket {
    fn left(&self, now: Instant, qps: f64, burst: f64) -> f64 {
        (self.tokens + now.saturating_duration_since(self.at).as_secs_f64() * qps).min(burst)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use serde_json::json;

    #[test]
    fn a_burst_is_granted_and_then_so_many_a_second_to_each() {
        let mut plugin = EventRateLimit::new();
        plugin
            .configure(&json!({"limits": [{"type": "Namespace", "qps": 2, "burst": 3, "cacheSize": 1}]}))
            .expect("a configuration");
        let (limit, now) = (&plugin.limits[0], Instant::now());
        let granted = |key: &str, after: u64| limit.take(key.into(), now + Duration::from_millis(after));
        assert_eq!([0, 0, 0, 0, 400, 500].map(|after| granted("a", after)), [true, true, true, false, false, true]);
        assert!(granted("b", 500), "another one has tokens of its own");
        assert_eq!(limit.buckets.lock().len(), 1, "no more are remembered than are to be");
    }

    #[test]
    fn what_is_no_limit_is_told() {
        let told = |limits: Value| EventRateLimit::new().configure(&json!({"limits": limits})).expect_err("refused");
        assert_eq!(told(json!([])), "limits: Invalid value: []: must not be empty");
        assert_eq!(
            told(json!([{"type": "X", "qps": 1, "burst": 1}])),
            "limits[0].type: Unsupported value: \"X\": supported values: \
             \"Namespace\", \"Server\", \"SourceAndObject\", \"User\""
        );
        let zero = told(json!([{"type": "User", "qps": 0, "burst": 1}]));
        assert_eq!(zero, "limits[0].qps: Invalid value: 0: must be positive");
    }
}
