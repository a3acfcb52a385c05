use serde_json::json;

use super::super::threshold::Least;
use super::*;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).expect("in range")
}

fn memory(grace: Option<u64>) -> Threshold {
    let least = Least::Amount("100Mi".parse::<Least>().map_or(Quantity::ZERO, |least| match least {
        Least::Amount(quantity) => quantity,
        Least::Share(_) => Quantity::ZERO,
    }));
    Threshold { signal: Signal::Memory, least, grace: grace.map(Duration::from_secs) }
}

fn seen(available: i64) -> BTreeMap<Signal, Observation> {
    [(Signal::Memory, Observation { available, capacity: 1 << 30 })].into()
}

fn pod(name: &str, request: &str, used: i64, priority: i32) -> PodUsage {
    let container = json!({"name": "c", "resources": {"requests": {"memory": request}}});
    let pod =
        json!({"metadata": {"name": name, "uid": name}, "spec": {"containers": [container], "priority": priority}});
    let pod = Arc::new(serde_json::from_value(pod).expect("a pod"));
    PodUsage {
        pod,
        containers: vec![ContainerUsage { name: "c".into(), memory: used, disk: 0 }],
        ..PodUsage::default()
    }
}

#[test]
fn who_uses_more_than_was_requested_goes_first() {
    let cases = [
        (vec![pod("within", "1Gi", 1 << 29, 0), pod("beyond", "1Ki", 2048, 0)], "beyond"),
        (vec![pod("high", "1Ki", 1 << 20, 10), pod("low", "1Ki", 2048, 5)], "low"),
        (vec![pod("little", "1Ki", 2048, 0), pod("much", "1Ki", 4096, 0)], "much"),
        (vec![pod("critical", "1Ki", 1 << 30, 2_000_000_000), pod("within", "1Gi", 1, 0)], "within"),
    ];
    for (pods, expected) in cases {
        let chosen = choose(&memory(None), &seen(0), pods, 30).expect("somebody");
        assert_eq!(chosen.uid, expected);
    }
    assert_eq!(choose(&memory(None), &seen(0), vec![pod("critical", "1", 1, 2_000_000_000)], 0), None);
}

#[test]
fn the_words_are_upstreams() {
    let chosen = choose(&memory(None), &seen(53 << 20), vec![pod("p", "1Ki", 4 << 20, 0)], 30).expect("somebody");
    assert_eq!(
        chosen.message,
        "The node was low on resource: memory. Threshold quantity: 100Mi, available: 53Mi. Container c was using 4Mi, \
         request is 1Ki, has larger consumption of memory. "
    );
    assert_eq!((chosen.grace, chosen.is_disruption), (1, true));
}

#[test]
fn a_soft_threshold_may_be_passed_for_a_time_and_a_condition_holds_on() {
    let thresholds = [memory(Some(60))];
    let mut remembered = Memory::default();
    let mut judge = |second, available| {
        let (due, conditions) = remembered.judge(&thresholds, &seen(available), at(second), Duration::from_secs(300));
        (due.len(), conditions.into_iter().collect::<Vec<_>>())
    };
    assert_eq!(judge(0, 1 << 29), (0, vec![]));
    assert_eq!(judge(10, 1), (0, vec!["MemoryPressure"]));
    assert_eq!(judge(70, 1), (1, vec!["MemoryPressure"]));
    assert_eq!(judge(80, 1 << 29), (0, vec!["MemoryPressure"]));
    assert_eq!(judge(90, 1), (0, vec!["MemoryPressure"]));
    assert_eq!(judge(400, 1 << 29), (0, vec![]));
}
