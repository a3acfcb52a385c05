//! Reading metrics: of resources from metrics.k8s.io, of pods, objects and the outside from custom.metrics.k8s.io and
//! external.metrics.k8s.io, which other API servers serve if anybody does ([`custom`]).

pub mod custom;

use jiff::{SignedDuration, Timestamp};
use nakhoda_api::kinds::autoscaling::MetricSpec;
use nakhoda_api::kinds::meta::LabelSelector;
use nakhoda_api::kinds::metrics::PodMetrics;
use nakhoda_api::time::parse_go_duration;
use nakhoda_client::{Client, Resource, Selection};

use super::metric::{Reading, Values};
use super::sample::{Sample, Samples, milli};

/// Reads what a metric is about.
pub async fn read(client: &Client, namespace: &str, selector: &str, spec: &MetricSpec) -> Reading {
    if let Some(source) = &spec.resource {
        resource(client, namespace, selector, &source.name, "").await
    } else if let Some(source) = &spec.container_resource {
        resource(client, namespace, selector, &source.name, &source.container).await
    } else if let Some(source) = &spec.pods {
        let read = custom::of_pods(client, namespace, selector, &source.metric).await;
        read.map_err(|why| format!("unable to get metric {}: {why}", source.metric.name))
    } else if let Some(source) = &spec.object {
        let (metric, of) = (&source.metric, &source.described_object);
        let read = custom::of_object(client, namespace, of, metric).await;
        read.map_err(|why| {
            format!("unable to get metric {}: {why} on {} {namespace}/{}", metric.name, of.kind, of.name)
        })
    } else if let Some(source) = &spec.external {
        let metric = &source.metric;
        let read = custom::external(client, namespace, metric).await;
        let selector = go_selector(metric.selector.as_ref());
        read.map_err(|why| format!("unable to get external metric {namespace}/{}/{selector}: {why}", metric.name))
    } else {
        Err(format!("unknown metric source type {:?}", spec.type_))
    }
}

async fn resource(client: &Client, namespace: &str, selector: &str, resource: &str, container: &str) -> Reading {
    let failed = |why: String| format!("unable to get metrics for resource {resource}: {why}");
    let selection = Selection { labels: selector.into(), ..Selection::default() };
    let listed = client.namespaced::<PodMetrics>(namespace).list(&selection).await;
    let listed =
        listed.map_err(|error| failed(format!("unable to fetch metrics from resource metrics API: {error}")))?;
    if listed.items.is_empty() {
        return Err(failed("no metrics returned from resource metrics API".into()));
    }
    Ok(Values::Pods(samples(&listed.items, resource, container)))
}

/// The samples of a resource; of one container where one is named, else a pod counts only as a whole.
fn samples(all: &[PodMetrics], resource: &str, container: &str) -> Samples {
    let of = |pod: &PodMetrics| -> Option<Sample> {
        let amounts = pod.containers.iter().filter(|one| container.is_empty() || one.name == container);
        let amounts: Option<Vec<i64>> =
            amounts.map(|one| one.usage.get(resource).map(|amount| milli(&amount.0))).collect();
        let amounts = amounts.filter(|amounts| !amounts.is_empty())?;
        let window = SignedDuration::from_nanos(parse_go_duration(&pod.window).unwrap_or_default());
        let at = pod.timestamp.as_ref().map_or(Timestamp::UNIX_EPOCH, |time| time.0);
        Some(Sample { value: amounts.iter().sum(), at, window })
    };
    all.iter().filter_map(|pod| Some((pod.name().to_owned(), of(pod)?))).collect()
}

/// A selector as Go prints it.
#[must_use]
pub fn go_selector(selector: Option<&LabelSelector>) -> String {
    let Some(selector) = selector else { return "nil".into() };
    let labels: String =
        selector.match_labels.iter().flatten().map(|(key, value)| format!("{key}: {value},")).collect();
    let terms = selector.match_expressions.iter().flatten().map(|term| {
        let values = term.values.as_deref().unwrap_or_default().join(" ");
        format!("LabelSelectorRequirement{{Key:{},Operator:{},Values:[{values}],}},", term.key, term.operator)
    });
    let terms: String = terms.collect();
    format!(
        "&LabelSelector{{MatchLabels:map[string]string{{{labels}}},MatchExpressions:[]LabelSelectorRequirement{{{terms}}},}}"
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_pod_counts_as_a_whole_or_by_the_named_container() {
        let pod = |name: &str, containers: serde_json::Value| -> PodMetrics {
            let pod = json!({"metadata": {"name": name}, "timestamp": "2026-01-01T00:00:00Z", "window": "10s",
                "containers": containers});
            serde_json::from_value(pod).expect("it fits")
        };
        let all = [
            pod("whole", json!([{"name": "a", "usage": {"cpu": "1m"}}, {"name": "b", "usage": {"cpu": "2500u"}}])),
            pod("part", json!([{"name": "a", "usage": {"cpu": "7m"}}, {"name": "b", "usage": {"memory": "1"}}])),
            pod("empty", json!([])),
        ];
        let values = |container| -> Vec<(String, i64)> {
            samples(&all, "cpu", container).into_iter().map(|(name, sample)| (name, sample.value)).collect()
        };
        assert_eq!(values(""), [("whole".to_owned(), 4)]);
        assert_eq!(values("a"), [("part".to_owned(), 7), ("whole".to_owned(), 1)]);
        assert!(values("c").is_empty());
        assert_eq!(samples(&all, "cpu", "a")["whole"].window, SignedDuration::from_secs(10));
    }

    #[test]
    fn selectors_are_printed_as_go_prints_them() {
        assert_eq!(go_selector(None), "nil");
        let selector = LabelSelector { match_labels: Some([("a".into(), "b".into())].into()), match_expressions: None };
        let text =
            "&LabelSelector{MatchLabels:map[string]string{a: b,},MatchExpressions:[]LabelSelectorRequirement{},}";
        assert_eq!(go_selector(Some(&selector)), text);
    }
}
