//! The job of a scheduled time.

use jiff::Timestamp;
use nakhoda_api::cron::zone;
use nakhoda_api::kinds::batch::{CronJob, Job};
use nakhoda_api::kinds::meta::ObjectMeta;
use nakhoda_client::{Resource, owner};

/// The annotation with the scheduled time.
const SCHEDULED: &str = "batch.kubernetes.io/cronjob-scheduled-timestamp";

/// The name of the job of a time: that of the minute.
#[must_use]
pub fn name(cron: &CronJob, at: Timestamp) -> String {
    format!("{}-{}", cron.name(), at.as_second() / 60)
}

/// The job of a time.
#[must_use]
pub fn build(cron: &CronJob, at: Timestamp) -> Job {
    let template = &cron.spec.job_template;
    let meta = template.metadata.clone().unwrap_or_default();
    let mut annotations = meta.annotations.unwrap_or_default();
    annotations.insert(SCHEDULED.into(), stamp(cron, at));
    Job {
        metadata: ObjectMeta {
            name: Some(name(cron, at)),
            namespace: cron.metadata.namespace.clone(),
            labels: meta.labels,
            annotations: Some(annotations),
            owner_references: Some(vec![owner(cron)]),
            ..ObjectMeta::default()
        },
        spec: template.spec.clone(),
        status: None,
    }
}

/// The time as it reads in the cron job's zone.
fn stamp(cron: &CronJob, at: Timestamp) -> String {
    let zone = cron.spec.time_zone.as_deref().and_then(|name| zone::load(name).ok());
    let local = at.to_zoned(zone.unwrap_or(jiff::tz::TimeZone::UTC));
    let offset = if local.offset().is_zero() { "Z".into() } else { local.strftime("%:z").to_string() };
    format!("{}{offset}", local.strftime("%Y-%m-%dT%H:%M:%S"))
}

#[cfg(test)]
mod tests {
    use super::super::plan::tests::{at, cron};
    use super::*;

    #[test]
    fn a_job_is_named_by_its_minute_and_carries_its_time() {
        let mut cron = cron("* * * * *");
        let made = build(&cron, at("12:00"));
        assert_eq!(made.name(), format!("tick-{}", at("12:00").as_second() / 60));
        assert_eq!(made.metadata.annotations.expect("set")[SCHEDULED], "2026-01-15T12:00:00Z");
        cron.spec.time_zone = Some("Europe/Berlin".into());
        assert_eq!(stamp(&cron, at("12:00")), "2026-01-15T13:00:00+01:00");
    }
}
