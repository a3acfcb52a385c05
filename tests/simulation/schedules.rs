//! CronJobs while the clock on the wall jumps.

use jiff::SignedDuration;
use nakhoda_api::kinds::batch::{CronJob, Job};
use nakhoda_client::Selection;
use nakhoda_client::clock::simulated;
use nakhoda_controller_manager::controllers::job::condition::is_finished;
use nakhoda_controller_manager::controllers::{cron_job, job};
use serde_json::{Value, json};

use crate::objects::template;
use crate::run::{Cast, Run, calmly, with_seeds};

fn cast() -> Cast {
    Cast { controllers: vec![cron_job::start, job::start], nodes: 3, cores: 8 }
}

fn cron(schedule: &str, policy: &str) -> Value {
    let mut template = template();
    template["metadata"]["annotations"] = json!({crate::kubelets::FAILING: "0"});
    template["spec"]["restartPolicy"] = "Never".into();
    json!({
        "metadata": {"name": "x", "namespace": "default", "generation": 1},
        "spec": {"schedule": schedule, "concurrencyPolicy": policy, "successfulJobsHistoryLimit": 3,
                 "failedJobsHistoryLimit": 1, "suspend": false,
                 "jobTemplate": {"spec": {"template": template, "completions": 1, "parallelism": 1, "backoffLimit": 6}}},
    })
}

async fn jobs(run: &Run) -> Vec<Job> {
    let api = run.client().namespaced::<Job>("default");
    api.list(&Selection::default()).await.expect("memory refuses nobody").items
}

#[test]

fn a_forbidding_cron_job_runs_one_at_a_time_though_the_clock_jumps() {
    with_seeds(&cast(), |run| async move {
        run.create::<CronJob>(&cron("* * * * *", "Forbid")).await;
        for minute in 0..40 {
            if minute == 10 {
                simulated::step(SignedDuration::from_hours(5));
            }
            if minute == 20 {
                simulated::step(SignedDuration::from_mins(-90));
            }
            for _ in 0..60 {
                run.second().await;
            }
            let running = jobs(&run).await.iter().filter(|job| !is_finished(job)).count();
            assert!(running <= 1, "{running} at once");
        }
        // Nothing was made up for, and nothing twice.
        let made = run.rules.writes("jobs");
        assert!(made > 10, "{made} writes of jobs");
    });
}

#[test]
fn a_schedule_that_means_nothing_is_told_once_and_runs_nothing() {
    let specs = [
        "",
        "* * * *",
        "60 * * * *",
        "*/0 * * * *",
        "1-0 * * * *",
        "x y z w v",
        "@every",
        "@often",
        "TZ=Mars/X * * * * *",
        "* * * * * *",
        "99999999999999999999 * * * *",
        "-1 * * * *",
        "0 0 31 2 *",
    ];
    for spec in specs {
        calmly(&cast(), |run| async move {
            run.create::<CronJob>(&cron(spec, "Allow")).await;
            run.seconds(3600).await;
            assert_eq!(jobs(&run).await.len(), 0, "{spec:?} made jobs");
            let (told, written) = (run.rules.writes("events"), run.rules.writes("cronjobs"));
            assert!(told <= 10 && written <= 3, "{spec:?}: {told} events and {written} writes in an hour");
        });
    }
}
