//! CronJob: makes a Job whenever its schedule says so.

use nakhoda_api::Scope;
use nakhoda_api::cron::{Schedule, zone};
use nakhoda_api::field::{Errors, Path};
use nakhoda_api::kinds::batch::{CronJob, CronJobSpec, JobTemplateSpec};

use crate::kind::columns::since;
use crate::kind::{Columns, Cx, Info, Kind, STATUS};
use crate::rules::check::{chosen, keep_status, list, nonnegative, text};
use crate::rules::defaults::fill;
use crate::rules::{job, pod, print};

/// The kind.
pub struct CronJobs;

/// Names of Jobs end in the time at which they were due, and are labels.
const LONGEST_NAME: usize = 52;

impl Kind for CronJobs {
    type Object = CronJob;

    fn info() -> Info {
        Info {
            short: &["cj"],
            categories: &["all"],
            subresources: &[STATUS],
            generation: true,
            ..Info::of::<CronJob>("cronjobs", "cronjob", Scope::Namespaced)
        }
    }

    fn default(cron_job: &mut CronJob) {
        let spec = &mut cron_job.spec;
        fill(&mut spec.concurrency_policy, "Allow");
        spec.suspend.get_or_insert(false);
        spec.successful_jobs_history_limit.get_or_insert(3);
        spec.failed_jobs_history_limit.get_or_insert(1);
        job::default(spec.job_template.spec.get_or_insert_default());
    }

    fn prepare(cx: &Cx, new: &mut CronJob, old: Option<&CronJob>) {
        keep_status(cx, &mut new.status, old.map(|o| &o.status));
        if old.is_none_or(|old| jobs(old).all(|spec| spec.scheduling.is_none()))
            && let Some(spec) = &mut new.spec.job_template.spec
        {
            spec.scheduling = None;
        }
    }

    fn validate(cx: &Cx, new: &CronJob, old: Option<&CronJob>, errors: &mut Errors) {
        if cx.subresource == "status" {
            return;
        }
        spec(errors, &Path::new("spec"), &new.spec, old.map(|o| &o.spec));
        let name = text(&new.metadata.name);
        if old.is_none() && name.len() > LONGEST_NAME {
            errors.invalid(&Path::new("metadata.name"), name, "must be no more than 52 characters");
        }
    }

    fn warnings(new: &CronJob, old: Option<&CronJob>) -> Vec<String> {
        let mut warnings = pod::warnings::workload(new.metadata.name.as_ref().filter(|_| old.is_none()), None);
        if old.is_none_or(|old| old.metadata.generation != new.metadata.generation) {
            warnings.extend(jobs(new).flat_map(|spec| job::warnings("spec.jobTemplate.spec", spec)));
        }
        if old.is_some() && new.spec.schedule.contains("TZ") {
            warnings.push("cannot use TZ or CRON_TZ in spec.spec.schedule, use timeZone instead, see https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/ for more details".into());
        }
        warnings
    }

    fn columns() -> Columns<CronJob> {
        Columns::<CronJob>::named()
            .text("Schedule", |c, _| c.spec.schedule.as_str().into())
            .text("Timezone", |c, _| c.spec.time_zone.as_deref().unwrap_or(print::NONE).into())
            .add("Suspend", "boolean", 0, |c, _| match c.spec.suspend {
                Some(true) => "True".into(),
                Some(false) => "False".into(),
                None => "<unset>".into(),
            })
            .number("Active", |c, _| c.status.as_ref().map_or(0, |s| list(&s.active).len()).into())
            .text("Last Schedule", |c, now| {
                let last = c.status.as_ref().and_then(|s| s.last_schedule_time.as_ref());
                last.map_or_else(|| print::NONE.into(), |t| since(Some(t.0), now)).into()
            })
            .age()
            .wide("Containers", |c, _| jobs(c).map(|j| print::names(print::containers(&j.template))).collect::<String>().into())
            .wide("Images", |c, _| jobs(c).map(|j| print::images(print::containers(&j.template))).collect::<String>().into())
            .wide("Selector", |c, _| {
                let selector = jobs(c).find_map(|j| j.selector.as_ref());
                selector.map_or_else(|| print::NONE.into(), print::selector).into()
            })
    }
}

fn jobs(cron_job: &CronJob) -> impl Iterator<Item = &nakhoda_api::kinds::batch::JobSpec> {
    cron_job.spec.job_template.spec.iter()
}

fn spec(errors: &mut Errors, path: &Path, spec: &CronJobSpec, old: Option<&CronJobSpec>) {
    schedule(errors, &path.child("schedule"), spec, old.is_some_and(|old| old.schedule.contains("TZ")));
    nonnegative(errors, &path.child("startingDeadlineSeconds"), spec.starting_deadline_seconds);
    if let Some(name) = &spec.time_zone
        && old.is_none_or(|old| old.time_zone != spec.time_zone)
    {
        time_zone(errors, &path.child("timeZone"), name);
    }
    let policies = ["Allow", "Forbid", "Replace"];
    chosen(errors, &path.child("concurrencyPolicy"), text(&spec.concurrency_policy), &policies);
    template(errors, &path.child("jobTemplate").child("spec"), &spec.job_template);
    nonnegative(errors, &path.child("successfulJobsHistoryLimit"), spec.successful_jobs_history_limit);
    nonnegative(errors, &path.child("failedJobsHistoryLimit"), spec.failed_jobs_history_limit);
}

/// A zone within the schedule is tolerated where one stood before.
fn schedule(errors: &mut Errors, path: &Path, spec: &CronJobSpec, zoned: bool) {
    let text = spec.schedule.as_str();
    if text.is_empty() {
        return errors.required(path, "");
    }
    if let Err(why) = Schedule::parse(text) {
        errors.invalid(path, text, why.to_string());
    }
    match (text.contains("TZ"), zoned) {
        (true, true) if spec.time_zone.is_some() => {
            errors.invalid(path, text, "cannot use both timeZone field and TZ or CRON_TZ in schedule");
        }
        (true, false) => {
            errors.invalid(path, text, "cannot use TZ or CRON_TZ in schedule, use timeZone field instead");
        }
        _ => {}
    }
}

fn time_zone(errors: &mut Errors, path: &Path, name: &str) {
    if name.is_empty() {
        return errors.invalid(path, name, "timeZone must be nil or non-empty string");
    }
    let allowed = |c: char| c.is_ascii_alphanumeric() || "._-+".contains(c);
    let fits = |part: &str| {
        (1..=14).contains(&part.len()) && ![".", ".."].contains(&part) && !part.starts_with('-') && part.chars().all(allowed)
    };
    if !name.split('/').all(fits) {
        return errors.invalid(path, name, format!("unknown time zone {name}"));
    }
    if name.eq_ignore_ascii_case("local") {
        let why = "timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones";
        errors.invalid(path, name, why);
    }
    if let Err(why) = zone::load(name) {
        errors.invalid(path, name, why.to_string());
    }
}

/// The selector comes with each Job.
fn template(errors: &mut Errors, path: &Path, template: &JobTemplateSpec) {
    let none = nakhoda_api::kinds::batch::JobSpec::default();
    let spec = template.spec.as_ref().unwrap_or(&none);
    job::validate(errors, path, spec);
    if let Some(selector) = &spec.selector {
        let shown = serde_json::to_value(selector).unwrap_or_default();
        errors.invalid(&path.child("selector"), shown, "`selector` will be auto-generated");
    }
    if spec.manual_selector == Some(true) {
        errors.not_supported(&path.child("manualSelector"), true, &["nil", "false"]);
    }
}

#[cfg(test)]
mod tests;
