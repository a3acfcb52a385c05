use serde_json::json;

use super::*;

fn now() -> Timestamp {
    Timestamp::from_second(1_000_000).expect("a time")
}

/// Pairs of seconds ago and a number.
fn ago(pairs: &[(i64, i32)]) -> Vec<(Timestamp, i32)> {
    pairs.iter().map(|(seconds, number)| (now() - SignedDuration::from_secs(*seconds), *number)).collect()
}

const WINDOW: SignedDuration = SignedDuration::from_mins(5);

/// Seconds ago, and how many.
type Past<'a> = &'a [(i64, i32)];
/// Kind, value and period.
type Policies<'a> = &'a [(&'a str, i32, i32)];
/// How many, and why.
type Found = (i32, &'static str);
/// The past, from how many, how many are wanted, the bounds, what was recommended, and what is found.
type Quick<'a> = (Past<'a>, i32, i32, (i32, i32), i32, Found);
/// Which policy is taken, the policies, what went up and down before, from how many, how many are wanted.
type Paced<'a> = (&'a str, Policies<'a>, (Past<'a>, Past<'a>), i32, i32, Found);
/// Recommendations of the past, the windows up and down, from how many, how many are wanted.
type Held<'a> = (Past<'a>, (i64, i64), i32, i32, Found);

#[test]
fn without_rules_up_is_quick_and_down_is_slow() {
    let rows: &[Quick<'_>] = &[
        (&[], 3, 4, (1, 10), 4, (4, "DesiredWithinRange")),
        (&[], 2, 7, (1, 10), 7, (4, "ScaleUpLimit")),
        (&[], 1, 9, (1, 10), 9, (4, "ScaleUpLimit")),
        (&[], 10, 100, (1, 40), 100, (20, "ScaleUpLimit")),
        (&[], 10, 100, (1, 12), 100, (12, "TooManyReplicas")),
        (&[], 10, 1, (2, 12), 1, (2, "TooFewReplicas")),
        (&[(60, 10)], 10, 5, (1, 12), 10, (10, "DesiredWithinRange")),
        (&[(299, 9), (10, 7)], 10, 5, (1, 12), 9, (9, "DesiredWithinRange")),
        (&[(301, 10)], 10, 5, (1, 12), 5, (5, "DesiredWithinRange")),
        (&[(60, 3)], 3, 5, (1, 12), 5, (5, "DesiredWithinRange")),
        (&[(60, 20)], 10, 5, (1, 12), 20, (12, "TooManyReplicas")),
    ];
    for &(recent, current, desired, (min, max), stabilized, (replicas, reason)) in rows {
        let mut memory = Memory { recommendations: ago(recent), ..Memory::default() };
        let found = plainly(&mut memory, Bounds { current, min, max }, desired, WINDOW, now());
        let case = format!("{recent:?} {current} {desired}");
        assert_eq!(found.stabilized.replicas, stabilized, "{case}");
        assert_eq!((found.bounded.replicas, found.bounded.reason), (replicas, reason), "{case}");
        let held = if stabilized == desired { "ReadyForNewScale" } else { "ScaleDownStabilized" };
        assert_eq!(found.stabilized.reason, held, "{case}");
        assert_eq!(memory.recommendations.last(), Some(&(now(), desired)), "what is remembered is not stabilized");
    }
}

fn rules(select: &str, window: i32, policies: &[(&str, i32, i32)]) -> HPAScalingRules {
    let policies: Vec<_> = policies
        .iter()
        .map(|(kind, value, period)| json!({"type": kind, "value": value, "periodSeconds": period}))
        .collect();
    let rules = json!({"selectPolicy": select, "stabilizationWindowSeconds": window, "policies": policies});
    serde_json::from_value(rules).expect("rules")
}

#[test]
fn policies_limit_the_pace() {
    let both: Policies<'_> = &[("Pods", 4, 60), ("Percent", 50, 60)];
    let rows: &[Paced<'_>] = &[
        ("Max", both, (&[], &[]), 10, 30, (15, "ScaleUpLimit")),
        ("Min", both, (&[], &[]), 10, 30, (14, "ScaleUpLimit")),
        ("Disabled", both, (&[], &[]), 10, 30, (10, "ScaleUpLimit")),
        ("Max", both, (&[], &[]), 10, 12, (12, "DesiredWithinRange")),
        ("Max", both, (&[], &[]), 80, 200, (100, "TooManyReplicas")),
        // what was added in the period counts, what was added before does not
        ("Max", both, (&[(30, 5)], &[]), 10, 30, (10, "ScaleUpLimit")),
        ("Max", both, (&[(30, 2)], &[]), 10, 30, (12, "ScaleUpLimit")),
        ("Max", both, (&[(61, 5)], &[]), 10, 30, (15, "ScaleUpLimit")),
        ("Max", both, (&[], &[(30, 4)]), 10, 30, (21, "ScaleUpLimit")),
        // a part of a pod is one, upwards
        ("Max", &[("Percent", 10, 60)], (&[], &[]), 3, 9, (4, "ScaleUpLimit")),
        ("Max", both, (&[], &[]), 10, 1, (5, "ScaleDownLimit")),
        ("Min", both, (&[], &[]), 10, 1, (6, "ScaleDownLimit")),
        ("Disabled", both, (&[], &[]), 10, 1, (10, "ScaleDownLimit")),
        ("Max", &[("Pods", 100, 60)], (&[], &[]), 10, 1, (2, "TooFewReplicas")),
        ("Max", both, (&[], &[(30, 3)]), 10, 1, (6, "ScaleDownLimit")),
        ("Max", both, (&[], &[(30, 30)]), 10, 1, (10, "ScaleDownLimit")),
        ("Max", &[("Percent", 10, 60)], (&[], &[]), 19, 2, (17, "ScaleDownLimit")),
        ("Max", both, (&[], &[]), 10, 10, (10, "DesiredWithinRange")),
    ];
    for &(select, policies, (ups, downs), current, desired, (replicas, reason)) in rows {
        let rules = rules(select, 0, policies);
        let memory = Memory { recommendations: Vec::new(), ups: ago(ups), downs: ago(downs) };
        let found = bound(&memory, &rules, &rules, Bounds { current, min: 2, max: 100 }, desired, now());
        assert_eq!((found.replicas, found.reason), (replicas, reason), "{select} {policies:?} {current} {desired}");
    }
}

#[test]
fn recommendations_hold_for_their_windows() {
    let rows: &[Held<'_>] = &[
        (&[], (0, 300), 5, 9, (9, "ReadyForNewScale")),
        (&[(60, 9)], (0, 300), 9, 5, (9, "ScaleDownStabilized")),
        (&[(60, 9)], (0, 30), 9, 5, (5, "ReadyForNewScale")),
        (&[(60, 3)], (120, 300), 5, 9, (5, "ScaleUpStabilized")),
        (&[(60, 7)], (120, 300), 5, 9, (7, "ScaleUpStabilized")),
        (&[(150, 3)], (120, 300), 5, 9, (9, "ReadyForNewScale")),
        (&[(60, 3), (30, 8)], (120, 300), 5, 6, (5, "ScaleUpStabilized")),
    ];
    for &(recent, (up, down), current, desired, (replicas, reason)) in rows {
        let mut memory = Memory { recommendations: ago(recent), ..Memory::default() };
        let seconds = SignedDuration::from_secs;
        let found = stabilize(&mut memory, (seconds(up), seconds(down)), current, desired, now());
        assert_eq!((found.replicas, found.reason), (replicas, reason), "{recent:?} {current} {desired}");
    }
}

#[test]
fn what_is_remembered_is_bounded() {
    let behavior = HorizontalPodAutoscalerBehavior {
        scale_up: Some(rules("Max", 0, &[("Pods", 4, 60), ("Pods", 9, 90)])),
        scale_down: Some(rules("Max", 60, &[("Pods", 4, 30)])),
    };
    let mut memory = Memory::default();
    for second in 0..500 {
        let at = now() + SignedDuration::from_secs(second);
        by_rules(&mut memory, &behavior, Bounds { current: 5, min: 1, max: 9 }, 5, WINDOW, at);
        memory.scaled(Some(&behavior), 5, 6, at);
        memory.scaled(Some(&behavior), 6, 5, at);
    }
    assert_eq!((memory.recommendations.len(), memory.ups.len(), memory.downs.len()), (61, 91, 31));
    memory.scaled(None, 1, 2, now());
    assert_eq!(memory.ups.len(), 91, "without rules nobody asks");
}
