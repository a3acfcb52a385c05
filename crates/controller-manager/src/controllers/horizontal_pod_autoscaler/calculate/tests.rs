//! Pods are written as words: what each uses, in thousandths (`-`: not measured), of the 1000 that it asks for, and a
//! letter: `u` never ready, `h` just started, `f` failed, `d` being deleted, `p` pending, `x` no pod at all.

use serde_json::json;

use super::*;

const TOLERANCE: Tolerance = Tolerance { down: 0.1, up: 0.1 };

fn now() -> Timestamp {
    "2026-01-01T12:00:00Z".parse().expect("a time")
}

fn pod(name: &str, state: char) -> Arc<Pod> {
    let (started, turned, ready) = match state {
        'u' => ("2026-01-01T11:00:00Z", "2026-01-01T11:00:05Z", "False"),
        'h' => ("2026-01-01T11:59:55Z", "2026-01-01T11:59:58Z", "True"),
        _ => ("2026-01-01T11:00:00Z", "2026-01-01T11:00:05Z", "True"),
    };
    let phase = match state {
        'f' => "Failed",
        'p' => "Pending",
        _ => "Running",
    };
    let mut pod = json!({
        "metadata": {"name": name},
        "spec": {"containers": [{"name": "c", "resources": {"requests": {"cpu": "1"}}}]},
        "status": {"phase": phase, "startTime": started,
            "conditions": [{"type": "Ready", "status": ready, "lastTransitionTime": turned}]},
    });
    if state == 'd' {
        pod["metadata"]["deletionTimestamp"] = started.into();
    }
    Arc::new(serde_json::from_value(pod).expect("a pod"))
}

fn world(words: &str) -> (Vec<Arc<Pod>>, Samples) {
    let (mut pods, mut samples) = (Vec::new(), Samples::new());
    for (index, word) in words.split_whitespace().enumerate() {
        let name = format!("p{index}");
        let state = word.chars().last().filter(char::is_ascii_lowercase).unwrap_or('r');
        if let Ok(value) = word.trim_end_matches(char::is_alphabetic).parse() {
            let window = jiff::SignedDuration::from_secs(10);
            samples.insert(name.clone(), Sample { value, at: now(), window });
        }
        if state != 'x' {
            pods.push(pod(&name, state));
        }
    }
    (pods, samples)
}

fn scene(current: i32, pods: &[Arc<Pod>], tolerance: Tolerance) -> Scene<'_> {
    let periods = Periods {
        cpu_initialization: jiff::SignedDuration::from_mins(2),
        initial_readiness: jiff::SignedDuration::from_secs(10),
    };
    Scene { current, observed: current, pods, tolerance, periods, now: now() }
}

#[test]
fn replicas_by_share_of_requests() {
    for (current, words, target, replicas, wanted) in [
        (3, "300 500 700", 30, 5, 50),
        // those that are not ready count as nothing when there should be more
        (3, "300u 500 700", 30, 4, 60),
        (3, "300h 500 700", 30, 4, 60),
        (3, "400 500u 700u", 30, 3, 40),
        (3, "400 500h 700h", 30, 3, 40),
        // those that go or have gone do not count
        (2, "500 700 -f -f", 30, 4, 60),
        (2, "500 700 0d 0d", 30, 4, 60),
        (5, "100 300 500 250 250 -f -f", 50, 3, 28),
        (5, "100 300 500 250 250 9d 9d", 50, 3, 28),
        // nor those that are not ready when there should be fewer
        (5, "100 300 500 250 250", 50, 3, 28),
        (5, "100 300 500 250u 250u", 50, 2, 30),
        (5, "100 300 500 250h 250h", 50, 2, 30),
        (5, "100 -p -p -p -p", 50, 1, 10),
        // near enough
        (3, "1010 1030 1020", 100, 3, 102),
        (3, "910 930 920", 100, 3, 92),
        (3, "1100 1100 1100", 100, 3, 110),
        // measured, and no pod
        (4, "4000 9500 3000 7000 3200x 2000x", 100, 24, 587),
        // not measured: against what is to be done
        (4, "400 95 - -", 100, 3, 24),
        (2, "1000 -", 100, 2, 100),
        (2, "1900 -", 100, 2, 190),
        (2, "600 -", 100, 2, 60),
        (3, "100u 450 -", 50, 3, 45),
        (3, "100h 450 -", 50, 3, 45),
        (3, "100u 2000 -", 50, 4, 200),
        (3, "100h 2000 -", 50, 4, 200),
        (4, "100u 100 100 -", 50, 3, 10),
        (4, "200 100 100 -", 300, 2, 13),
        // more pods than replicas, while they are replaced
        (2, "100 150 50", 10, 2, 10),
        (6, "900 900 -", 50, 6, 90),
    ] {
        let (pods, samples) = world(words);
        let found = utilization(&scene(current, &pods, TOLERANCE), samples, ("cpu", ""), target);
        let found = found.map(|proposal| (proposal.replicas, proposal.utilization));
        assert_eq!(found, Ok((replicas, Some(wanted))), "{current} {words} {target}");
    }
}

#[test]
fn replicas_by_average() {
    for (current, words, target, replicas, usage) in [
        (3, "20000 10000 30000", 15_000, 4, 20_000),
        // only processor time depends on readiness
        (3, "50000 10000u 30000", 15_000, 6, 30_000),
        (3, "50000 15000h 30000", 15_000, 7, 31_666),
        (5, "12000 12000 12000 12000 12000", 20_000, 3, 12_000),
        (3, "20000 21000 21000", 20_000, 3, 20_666),
        (2, "1000 -", 1000, 2, 1000),
        (3, "30000 -p -", 10_000, 3, 30_000),
        (2, "9000 -", 3000, 3, 9000),
        (4, "1000 1000 -", 4000, 2, 1000),
        (1, "5000 7000d", 5000, 1, 5000),
    ] {
        let (pods, samples) = world(words);
        let found = average(&scene(current, &pods, TOLERANCE), samples, "", target);
        assert_eq!(
            found.map(|found| (found.replicas, found.usage)),
            Ok((replicas, usage)),
            "{current} {words} {target}"
        );
    }
}

#[test]
fn replicas_by_one_value_for_all() {
    let fine = Tolerance { down: 0.01, up: 0.01 };
    for (current, ready, usage, target, tolerance, replicas) in [
        (3, 3, 20_000, 15_000, TOLERANCE, 4),
        // only those that are ready bore the load
        (3, 1, 50_000, 10_000, TOLERANCE, 5),
        (5, 5, 12_000, 20_000, TOLERANCE, 3),
        (3, 3, 20_666, 20_000, TOLERANCE, 3),
        (20, 20, 10_500, 10_000, TOLERANCE, 20),
        (20, 20, 10_500, 10_000, fine, 21),
        (20, 20, 9500, 10_000, TOLERANCE, 20),
        (20, 20, 9500, 10_000, fine, 19),
        (20, 20, 10_500, 10_000, Tolerance { down: 0.0, up: 0.1 }, 20),
        (20, 20, 9500, 10_000, Tolerance { down: 0.1, up: 0.0 }, 20),
        (3, 3, i64::MAX, 1, TOLERANCE, i32::MAX),
        (3, 3, 0, 1000, TOLERANCE, 0),
        // from nothing, pods are not asked
        (0, 0, 0, 1000, TOLERANCE, 0),
        (0, 0, 4500, 1000, TOLERANCE, 5),
    ] {
        let words = ["1"].repeat(ready).into_iter().chain(["1u"]).collect::<Vec<_>>().join(" ");
        let (pods, _) = world(&words);
        let found = value(&scene(current, &pods, tolerance), usage, target);
        assert_eq!(
            found.map(|found| (found.replicas, found.usage)),
            Ok((replicas, usage)),
            "{current} {usage}/{target}"
        );
    }
}

#[test]
fn replicas_by_a_value_that_is_shared() {
    for (observed, usage, target, replicas, each) in [
        (3, 8600, 2150, 4, 2867),
        (5, 8600, 2867, 3, 1720),
        (4, 8600, 2200, 4, 2150),
        (2, 0, 1000, 0, 0),
        (0, 3000, 1000, 3, i64::MAX),
        (1, i64::MAX, 1, i32::MAX, i64::MAX),
    ] {
        let found = value_per_replica(&scene(observed, &[], TOLERANCE), usage, target);
        assert_eq!((found.replicas, found.usage), (replicas, each), "{observed} {usage}/{target}");
    }
}

#[test]
fn what_cannot_be_calculated_says_why() {
    let unready = "did not receive metrics for targeted pods (pods might be unready)";
    for (words, resource, container, why) in [
        ("", "cpu", "", NO_PODS),
        ("-", "cpu", "", unready),
        ("100u", "cpu", "", unready),
        ("100p 100d", "cpu", "", unready),
        ("100", "memory", "", "missing request for memory in container c of Pod p0"),
        ("100", "cpu", "other", "container other not found in Pod p0"),
        ("- 100x", "cpu", "", "no metrics returned matched known pods"),
    ] {
        let (pods, samples) = world(words);
        let found = utilization(&scene(1, &pods, TOLERANCE), samples, (resource, container), 50);
        assert_eq!(found, Err(why.to_owned()), "{words}");
    }
    let found = value(&scene(1, &[], TOLERANCE), 2000, 1000);
    assert_eq!(found, Err(format!("unable to calculate ready pods: {NO_PODS}")));
}

#[test]
fn a_pod_asks_for_what_it_says_itself_or_what_its_containers_say() {
    let pod = |spec: serde_json::Value| -> Arc<Pod> {
        Arc::new(serde_json::from_value(json!({"metadata": {"name": "p"}, "spec": spec})).expect("a pod"))
    };
    let container = |name: &str, cpu: &str| json!({"name": name, "resources": {"requests": {"cpu": cpu}}});
    let mut sidecar = container("s", "20m");
    sidecar["restartPolicy"] = "Always".into();
    let two = json!([container("a", "100m"), container("b", "1")]);
    let plain = json!({"containers": two, "initContainers": [container("i", "5"), sidecar]});
    let mut own = plain.clone();
    own["resources"] = json!({"requests": {"cpu": "3"}});
    for (spec, of, wanted) in
        [(&plain, "", 1120), (&plain, "a", 100), (&plain, "s", 20), (&own, "", 3000), (&own, "b", 1000)]
    {
        let found = sample::requests(&[pod(spec.clone())], of, "cpu").map(|all| all["p"]);
        assert_eq!(found, Ok(wanted), "{of}");
    }
    let why = sample::requests(&[pod(own)], "", "memory").map(drop);
    assert_eq!(why, Err("missing pod-level request for memory in Pod p".into()));
}
