//! Gangs: all of one or none, and of two that compete one.

use nakhoda_api::kinds::core::Pod;
use nakhoda_api::kinds::scheduling_v1beta1::PodGroup;
use nakhoda_client::Resource;
use nakhoda_client::Selection;
use nakhoda_controller_manager::pods::node;
use serde_json::{Value, json};

use crate::kubelets::FAILING;
use crate::objects::template;
use crate::rules::Pods;
use crate::run::{Cast, Run, calmly, with_seeds};

const CAST: Cast = Cast { controllers: Vec::new(), nodes: 3, cores: 4 };

fn group(name: &str, min: i64) -> Value {
    json!({"metadata": {"name": name, "namespace": "default", "generation": 1},
           "spec": {"schedulingPolicy": {"gang": {"minCount": min}}}})
}

fn member(gang: &str, number: usize, failing: Option<&str>) -> Value {
    let mut pod = template();
    pod["metadata"] = json!({"name": format!("{gang}-{number}"), "namespace": "default"});
    if let Some(percent) = failing {
        pod["metadata"]["annotations"] = json!({FAILING: percent});
    }
    pod["spec"]["schedulingGroup"] = json!({"podGroupName": gang});
    pod
}

async fn gang(run: &Run, name: &str, min: i64, members: usize, failing: Option<&str>) {
    run.create::<PodGroup>(&group(name, min)).await;
    for number in 0..members {
        run.pause(500).await;
        run.create::<Pod>(&member(name, number, failing)).await;
    }
}

fn placed(pods: &[Pod], gang: &str) -> usize {
    pods.iter().filter(|p| p.name().starts_with(gang) && node(p).is_some()).count()
}

#[test]
fn of_two_gangs_that_compete_each_is_placed_whole_one_after_the_other() {
    with_seeds(&CAST, |run| async move {
        // Whoever begins finds the other whole or not at all.
        run.always(|pods: &Pods, _| {
            let of = |gang| pods.values().filter(|p| p.name().starts_with(gang) && node(p).is_some()).count();
            let (a, b) = (of("a-"), of("b-"));
            if [a, b].iter().any(|n| [0, 8].contains(n)) { Ok(()) } else { Err(format!("{a} and {b} of 8 each")) }
        });
        let (other, first) = (run.clone(), run.clone());
        // 12 cores, two gangs of 8: room for one; members end after a while.
        tokio::join!(gang(&first, "a", 8, 8, Some("0")), gang(&other, "b", 8, 8, Some("0")));
        run.until_pods(|pods| placed(pods, "a") == 8 && placed(pods, "b") == 8).await;
        run.rests().await;
    });
}

#[test]
fn without_faults_no_gang_ever_keeps_a_part_of_what_it_needs() {
    calmly(&CAST, |run| async move {
        tokio::join!(gang(&run, "a", 8, 8, None), gang(&run, "b", 8, 8, None));
        for _ in 0..120 {
            run.second().await;
            let pods = run.pods().await;
            let (a, b) = (placed(&pods, "a"), placed(&pods, "b"));
            assert!([0, 8].contains(&a) && [0, 8].contains(&b) && a + b <= 8, "{a} and {b} of 8 each");
        }
        assert_eq!(placed(&run.pods().await, "a") + placed(&run.pods().await, "b"), 8);
    });
}

#[test]
fn an_impossible_gang_is_told_of_and_costs_nothing_while_it_waits() {
    for min in [9, 1000, i64::from(i32::MAX)] {
        calmly(&CAST, |run| async move {
            // Nine members of two cores each: twelve cores hold six.
            run.create::<PodGroup>(&group("a", min)).await;
            for number in 0..9 {
                let mut pod = member("a", number, None);
                pod["spec"]["containers"][0]["resources"]["requests"]["cpu"] = "2".into();
                run.create::<Pod>(&pod).await;
            }
            run.seconds(30).await;
            let (before, events) = (run.rules.all_writes(), run.rules.writes("events"));
            run.seconds(3600).await;
            let (writes, told) = (run.rules.all_writes() - before, run.rules.writes("events") - events);
            assert!(writes <= 60 && told <= 240, "{writes} writes and {told} events in an hour of waiting");
            assert_eq!(placed(&run.pods().await, "a"), 0);
            if min == 9 {
                let api = run.client().namespaced::<PodGroup>("default");
                let all = api.list(&Selection::default()).await.expect("memory refuses nobody").items;
                let told = all[0].status.as_ref().and_then(|s| s.conditions.as_ref()).expect("told");
                assert!(told.iter().any(|c| c.type_ == "PodGroupInitiallyScheduled" && c.status == "False"));
            }
        });
    }
}
