//! Metrics that other API servers serve: custom.metrics.k8s.io (v1beta2, v1beta1) and external.metrics.k8s.io (v1beta1).

use jiff::{SignedDuration, Timestamp};
use nakhoda_api::kinds::autoscaling::{CrossVersionObjectReference, MetricIdentifier};
use nakhoda_api::kinds::meta::Time;
use nakhoda_api::selector::labels;
use nakhoda_client::{Client, Error};
use serde::Deserialize;

use super::super::metric::{Reading, Values};
use super::super::sample::{Sample, milli};
use crate::served::Served;

const CUSTOM: &str = "unable to fetch metrics from custom metrics API";
const EXTERNAL: &str = "unable to fetch metrics from external metrics API";
/// Over which time a metric was measured that does not say.
const WINDOW: i64 = 60;

#[derive(Default, Deserialize)]
#[serde(default)]
struct List {
    items: Vec<Item>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Item {
    described_object: Described,
    timestamp: Option<Time>,
    window_seconds: Option<i64>,
    value: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Described {
    name: String,
}

/// Of each pod of a target.
pub async fn of_pods(client: &Client, namespace: &str, selector: &str, metric: &MetricIdentifier) -> Reading {
    let query = [("labelSelector", selector.to_owned()), ("metricLabelSelector", selection(metric)?)];
    let listed = custom(client, &format!("namespaces/{namespace}/pods/*/{}", metric.name), &query).await?;
    if listed.items.is_empty() {
        return Err("no metrics returned from custom metrics API".into());
    }
    let sample = |item: Item| {
        let window = SignedDuration::from_secs(item.window_seconds.unwrap_or(WINDOW));
        let at = item.timestamp.map_or(Timestamp::UNIX_EPOCH, |time| time.0);
        (item.described_object.name, Sample { value: milli(&item.value), at, window })
    };
    Ok(Values::Pods(listed.items.into_iter().map(sample).collect()))
}

/// Of an object in the autoscaler's namespace, or of that namespace.
pub async fn of_object(
    client: &Client,
    namespace: &str,
    of: &CrossVersionObjectReference,
    metric: &MetricIdentifier,
) -> Reading {
    let group = of.api_version.as_deref().and_then(|version| version.split_once('/')).map_or("", |(group, _)| group);
    let path = if of.kind == "Namespace" && group.is_empty() {
        format!("namespaces/{namespace}/metrics/{}", metric.name)
    } else {
        let served = client.discover().await.map_err(|error| format!("{CUSTOM}: {error}"))?;
        let found = Served::all(&served).into_iter().find(|one| one.kind == of.kind && one.gvr.group == group);
        let found = found.ok_or_else(|| format!("{CUSTOM}: no matches for kind {:?} in group {group:?}", of.kind))?;
        format!("namespaces/{namespace}/{}/{}/{}", found.gvr.group_resource(), of.name, metric.name)
    };
    let listed = custom(client, &path, &[("metricLabelSelector", selection(metric)?)]).await?;
    let only = listed
        .items
        .into_iter()
        .next()
        .ok_or_else(|| format!("{CUSTOM}: the custom metrics API server returned no value"))?;
    Ok(Values::Whole(milli(&only.value)))
}

/// Of something outside of the cluster: the sum of all values.
pub async fn external(client: &Client, namespace: &str, metric: &MetricIdentifier) -> Reading {
    let query = query(&[("labelSelector", selection(metric)?)]);
    let path = format!("/apis/external.metrics.k8s.io/v1beta1/namespaces/{namespace}/{}{query}", metric.name);
    let listed = client.read::<List>(&path).await.map_err(|error| format!("{EXTERNAL}: {error}"))?;
    if listed.items.is_empty() {
        return Err("no metrics returned from external metrics API".into());
    }
    Ok(Values::Whole(listed.items.iter().map(|item| milli(&item.value)).fold(0, i64::saturating_add)))
}

async fn custom(client: &Client, path: &str, pairs: &[(&str, String)]) -> Result<List, String> {
    let failed = |error: Error| format!("{CUSTOM}: {error}");
    for version in ["v1beta2", "v1beta1"] {
        let root = format!("/apis/custom.metrics.k8s.io/{version}");
        // whether the version is served is another question than whether the metric is known
        match client.read::<serde_json::Value>(&root).await {
            Ok(_) => return client.read(&format!("{root}/{path}{}", query(pairs))).await.map_err(failed),
            Err(error) if error.is_not_found() => {}
            Err(error) => return Err(failed(error)),
        }
    }
    Err(format!("{CUSTOM}: no custom metrics API (custom.metrics.k8s.io) registered"))
}

fn selection(metric: &MetricIdentifier) -> Result<String, String> {
    // no selector selects every series
    let Some(selector) = &metric.selector else { return Ok(String::new()) };
    labels::from_typed(Some(selector)).map(|selector| selector.to_string()).map_err(|error| error.to_string())
}

/// Of pairs that have a value.
fn query(pairs: &[(&str, String)]) -> String {
    let given = pairs.iter().filter(|(_, value)| !value.is_empty());
    let given: Vec<String> = given.map(|(name, value)| format!("{name}={}", encoded(value))).collect();
    if given.is_empty() { String::new() } else { format!("?{}", given.join("&")) }
}

fn encoded(text: &str) -> String {
    let byte = |byte: u8| match byte {
        b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' | b'-' | b'_' | b'.' | b'~' => char::from(byte).to_string(),
        other => format!("%{other:02X}"),
    };
    text.bytes().map(byte).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries_hold_what_is_given() {
        let pairs = [("labelSelector", "app in (a,b)".to_owned()), ("metricLabelSelector", String::new())];
        assert_eq!(query(&pairs), "?labelSelector=app%20in%20%28a%2Cb%29");
        assert_eq!(query(&pairs[1..]), "");
    }

    #[test]
    fn values_are_read_in_both_versions() {
        for named in [r#""metric":{"name":"m"}"#, r#""metricName":"m""#] {
            let text = format!(
                r#"{{"items":[{{"describedObject":{{"kind":"Pod","name":"p"}},{named},"timestamp":"2026-01-01T00:00:00Z","windowSeconds":30,"value":"1500m"}}]}}"#
            );
            let list: List = serde_json::from_str(&text).expect("a list");
            let item = &list.items[0];
            assert_eq!((&*item.described_object.name, item.window_seconds, milli(&item.value)), ("p", Some(30), 1500));
        }
    }
}
