//! What the flags of audit say, put together.

use std::time::Duration;

use anyhow::Context;
use nakhoda_daemon::Tasks;

use crate::audit::log::{Log, Rotation};
use crate::audit::webhook::{Batching, Webhook};
use crate::audit::{Auditor, Policy, Sink};
use crate::options::Audit;

/// The auditor, if there is a policy and a place to write to.
pub(super) fn open(options: &Audit, tasks: &Tasks) -> anyhow::Result<Option<Auditor>> {
    let (log, webhook) = (&options.audit_log_path, &options.audit_webhook_config_file);
    let Some(path) = &options.audit_policy_file else {
        if log.is_some() || webhook.is_some() {
            tracing::warn!("no --audit-policy-file: no audit events are written");
        }
        return Ok(None);
    };
    let policy =
        Policy::read(path).with_context(|| format!("{} cannot be used; see --audit-policy-file", path.display()))?;
    let mut sinks: Vec<Box<dyn Sink>> = Vec::new();
    if let Some(path) = log {
        let rotation = Rotation {
            megabytes: options.audit_log_maxsize,
            files: options.audit_log_maxbackup,
            days: options.audit_log_maxage,
        };
        let log = Log::open(path, rotation)
            .with_context(|| format!("{} cannot be written; see --audit-log-path", path.display()))?;
        sinks.push(Box::new(log));
    }
    if let Some(path) = webhook {
        let batching = Batching {
            buffer: options.audit_webhook_batch_buffer_size,
            size: options.audit_webhook_batch_max_size.max(1),
            wait: Duration::from_secs(options.audit_webhook_batch_max_wait),
        };
        let webhook = Webhook::open(path, batching, tasks)
            .with_context(|| format!("{} cannot be used; see --audit-webhook-config-file", path.display()))?;
        sinks.push(Box::new(webhook));
    }
    if sinks.is_empty() {
        tracing::warn!("neither --audit-log-path nor --audit-webhook-config-file: no audit events are written");
        return Ok(None);
    }
    Ok(Some(Auditor::new(policy, sinks)))
}
