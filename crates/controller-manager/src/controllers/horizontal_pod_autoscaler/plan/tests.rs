use std::sync::Arc;

use nakhoda_api::kinds::core::Pod;
use serde_json::{Value, json};

use super::super::metric::Values;
use super::super::sample::{Sample, Samples};
use super::*;

fn now() -> Timestamp {
    "2026-01-01T12:00:00Z".parse().expect("a time")
}

fn autoscaler(metrics: Value, behavior: Value) -> HorizontalPodAutoscaler {
    let hpa = json!({
        "metadata": {"name": "a", "namespace": "n"},
        "spec": {"scaleTargetRef": {"kind": "Deployment", "apiVersion": "apps/v1", "name": "d"},
            "minReplicas": 2, "maxReplicas": 10, "metrics": metrics, "behavior": behavior},
    });
    serde_json::from_value(hpa).expect("an autoscaler")
}

fn cpu(percents: i32) -> Value {
    json!({"type": "Resource",
        "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": percents}}})
}

fn external(target: Value) -> Value {
    json!({"type": "External", "external": {"metric": {"name": "qps"}, "target": target}})
}

fn pods(count: usize) -> Vec<Arc<Pod>> {
    let pod = |index| {
        json!({"metadata": {"name": format!("p{index}")},
            "spec": {"containers": [{"name": "c", "resources": {"requests": {"cpu": "1", "memory": "1Ki"}}}]},
            "status": {"phase": "Running", "startTime": "2026-01-01T11:00:00Z",
                "conditions": [{"type": "Ready", "status": "True", "lastTransitionTime": "2026-01-01T11:00:01Z"}]}})
    };
    (0..count).map(|index| Arc::new(serde_json::from_value(pod(index)).expect("a pod"))).collect()
}

fn each(count: usize, value: i64) -> Reading {
    let window = SignedDuration::from_secs(10);
    let sample = Sample { value, at: now(), window };
    Ok(Values::Pods((0..count).map(|index| (format!("p{index}"), sample)).collect::<Samples>()))
}

fn measure(
    hpa: &HorizontalPodAutoscaler,
    current: i32,
    readings: Vec<Reading>,
) -> (Round, Result<(Desired, Option<String>), String>) {
    let (settings, mut round) = (Settings::default(), Round::new(hpa, now()));
    let pods = pods(usize::try_from(current).expect("some"));
    let scene = Scene {
        current,
        observed: current,
        pods: &pods,
        tolerance: tolerance(hpa, settings.tolerance),
        periods: settings.periods,
        now: now(),
    };
    let found = round.measure(hpa, &scene, readings, (&mut Memory::default(), &settings));
    (round, found)
}

fn condition(round: &Round, type_: &str) -> (String, String, String) {
    let all = round.status.conditions.iter().flatten();
    let found = all.into_iter().find(|condition| condition.type_ == type_).expect("there").clone();
    (found.status, found.reason.unwrap_or_default(), found.message.unwrap_or_default())
}

#[test]
fn numbers_outside_of_the_bounds_need_no_metrics() {
    let hpa = autoscaler(json!([cpu(50)]), Value::Null);
    for (current, wanted) in [
        (0, Stance::Disabled),
        (1, Stance::Outside(2, "Current number of replicas below Spec.MinReplicas")),
        (2, Stance::Measure),
        (10, Stance::Measure),
        (11, Stance::Outside(10, "Current number of replicas above Spec.MaxReplicas")),
    ] {
        assert_eq!(stance(&hpa, current), wanted, "{current}");
    }
}

#[test]
fn a_target_without_replicas_is_left_alone() {
    let mut round = Round::new(&autoscaler(json!([cpu(50)]), Value::Null), now());
    round.disabled();
    round.settled(0, 0);
    let (status, reason, message) = condition(&round, "ScalingActive");
    assert_eq!((&*status, &*reason), ("False", "ScalingDisabled"));
    assert_eq!(message, "scaling is disabled since the replica count of the target is zero");
    assert_eq!((round.status.current_replicas, round.status.desired_replicas), (Some(0), 0));
}

#[test]
fn the_highest_proposal_counts() {
    let hpa = autoscaler(json!([cpu(50), external(json!({"type": "AverageValue", "averageValue": "1"}))]), Value::Null);
    for (used, total, replicas, reason) in [
        (1000, 1000, 6, "cpu resource utilization (percentage of request) above target"),
        (500, 5000, 5, "external metric qps(nil) above target"),
        (100, 100, 2, "All metrics below target"),
        (500, 3000, 3, ""),
    ] {
        let (round, found) = measure(&hpa, 3, vec![each(3, used), Ok(Values::Whole(total))]);
        let wanted = Desired { replicas, reason: reason.into() };
        assert_eq!(found, Ok((wanted, None)), "{used} {total}");
        assert_eq!(condition(&round, "ScalingActive").1, "ValidMetricFound");
        let told = round.status.current_metrics.as_ref().expect("told");
        let current = told[0].resource.as_ref().map(|resource| resource.current.clone()).expect("of cpu");
        assert_eq!(current.average_utilization, i32::try_from(used / 10).ok());
        assert_eq!(told[1].type_, "External");
    }
}

#[test]
fn a_metric_that_fails_is_in_the_way_of_scaling_down_only() {
    let hpa = autoscaler(json!([cpu(50), external(json!({"type": "Value", "value": "1"}))]), Value::Null);
    let why = "unable to get external metric n/qps/nil: unable to fetch metrics from external metrics API: x";
    let trouble = format!(
        "invalid metrics (1 invalid out of 2), first error is: failed to get qps external metric value: failed to get external metric qps: {why}"
    );
    let (round, found) = measure(&hpa, 3, vec![each(3, 1000), Err(why.into())]);
    assert_eq!(found.map(|(desired, trouble)| (desired.replicas, trouble)), Ok((6, Some(trouble.clone()))));
    assert_eq!(round.events, [(EventType::Warning, "FailedGetExternalMetric", why.to_owned())]);
    assert_eq!(condition(&round, "ScalingActive").0, "True");
    let (round, found) = measure(&hpa, 3, vec![each(3, 100), Err(why.into())]);
    assert_eq!(found, Err(trouble));
    let (status, reason, message) = condition(&round, "ScalingActive");
    assert_eq!((&*status, &*reason), ("False", "FailedGetExternalMetric"));
    assert_eq!(message, format!("the HPA was unable to compute the replica count: {why}"));
}

#[test]
fn failures_are_told_in_upstreams_words() {
    let why = "unable to get metrics for resource cpu: no metrics returned from resource metrics API";
    let (round, found) = measure(&autoscaler(json!([cpu(50)]), Value::Null), 2, vec![Err(why.into())]);
    let told = format!("failed to get cpu utilization: {why}");
    assert_eq!(round.events, [(EventType::Warning, "FailedGetResourceMetric", told.clone())]);
    let whole = "invalid metrics (1 invalid out of 1), first error is: failed to get cpu resource metric value";
    assert_eq!(found, Err(format!("{whole}: {told}")));
    let container = json!({"type": "ContainerResource", "containerResource": {"name": "memory", "container": "c",
        "target": {"type": "AverageValue", "averageValue": "1Ki"}}});
    let (round, found) = measure(&autoscaler(json!([container]), Value::Null), 2, vec![Err("x".into())]);
    assert_eq!(round.events[0].1, "FailedGetContainerResourceMetric");
    let whole = "invalid metrics (1 invalid out of 1), first error is: failed to get c container metric value";
    assert_eq!(found, Err(format!("{whole}: failed to get memory usage: x")));
    let metric = json!({"metric": {"name": "hits"}, "target": {"type": "AverageValue", "averageValue": "1"}});
    let mut object = metric.clone();
    object["describedObject"] = json!({"kind": "Service", "name": "s"});
    for (spec, reason, begins) in [
        (json!({"type": "Pods", "pods": metric}), "FailedGetPodsMetric", "failed to get pods metric value: x"),
        (
            json!({"type": "Object", "object": object}),
            "FailedGetObjectMetric",
            "failed to get object metric value: failed to get hits object metric: x",
        ),
    ] {
        let (round, found) = measure(&autoscaler(json!([spec]), Value::Null), 2, vec![Err("x".into())]);
        assert_eq!((round.events[0].1, &*round.events[0].2), (reason, "x"));
        assert!(found.is_err_and(|why| why.ends_with(begins)), "{reason}");
    }
}

#[test]
fn the_status_tells_amounts_in_their_family() {
    let memory = json!({"type": "Resource",
        "resource": {"name": "memory", "target": {"type": "AverageValue", "averageValue": "1Mi"}}});
    let (round, found) = measure(&autoscaler(json!([memory]), Value::Null), 2, vec![each(2, 2 * 1024 * 1024 * 1000)]);
    assert_eq!(found.map(|(desired, _)| desired.replicas), Ok(4));
    let told = round.status.current_metrics.as_ref().and_then(|all| all[0].resource.as_ref()).expect("told");
    assert_eq!(told.current.average_value.as_ref().map(|amount| &*amount.0), Some("2Mi"));
}

#[test]
fn rules_and_tolerances_of_the_autoscaler_count() {
    let behavior = json!({"scaleUp": {"tolerance": "50m", "stabilizationWindowSeconds": 0, "selectPolicy": "Max",
        "policies": [{"type": "Pods", "value": 1, "periodSeconds": 60}]}});
    let hpa = autoscaler(json!([cpu(50)]), behavior);
    assert_eq!(tolerance(&hpa, 0.1), Tolerance { down: 0.1, up: 0.05 });
    for (used, replicas, reason) in [(520, 4, "DesiredWithinRange"), (1000, 5, "ScaleUpLimit")] {
        let (round, found) = measure(&hpa, 4, vec![each(4, used)]);
        assert_eq!(found.map(|(desired, _)| desired.replicas), Ok(replicas), "{used}");
        assert_eq!(condition(&round, "ScalingLimited").1, reason);
    }
}

#[test]
fn a_condition_remembers_when_it_turned() {
    let mut round = Round::new(&autoscaler(json!([]), Value::Null), now());
    round.scale_found();
    let hpa = HorizontalPodAutoscaler { status: Some(round.status), ..autoscaler(json!([]), Value::Null) };
    let mut later = Round::new(&hpa, now() + SignedDuration::from_secs(15));
    later.scale_found();
    assert_eq!(hpa.status.as_ref(), Some(&later.status), "nothing to write");
    later.no_scale("gone");
    let (status, reason, message) = condition(&later, "AbleToScale");
    assert_eq!((&*status, &*reason), ("False", "FailedGetScale"));
    assert_eq!(message, "the HPA controller was unable to get the target's current scale: gone");
    let turned = later.status.conditions.iter().flatten().next().and_then(|c| c.last_transition_time.clone());
    assert_eq!(turned.map(|time| time.0), Some(now() + SignedDuration::from_secs(15)));
}

#[test]
fn what_was_done_is_told() {
    let (hpa, desired) = (autoscaler(json!([]), Value::Null), Desired { replicas: 5, reason: "more".into() });
    let mut round = Round::new(&hpa, now());
    round.rescaled(3, &desired);
    assert_eq!(round.events, [(EventType::Normal, "SuccessfulRescale", "New size: 5; reason: more".to_owned())]);
    assert_eq!(condition(&round, "AbleToScale").2, "the HPA controller was able to update the target scale to 5");
    assert_eq!((round.status.current_replicas, round.status.desired_replicas), (Some(3), 5));
    assert_eq!(round.status.last_scale_time, Some(Time(now())));
    let mut round = Round::new(&hpa, now());
    round.not_rescaled(3, &desired, "no");
    assert_eq!(round.events[0].2, "New size: 5; reason: more; error: no");
    assert_eq!(condition(&round, "AbleToScale").1, "FailedUpdateScale");
}
