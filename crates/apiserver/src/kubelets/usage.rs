//! What kubelets tell of usage, asked for when somebody wants to know and kept by nobody here. Each has measured
//! twice, so that the answer is a rate.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use futures::StreamExt;
use jiff::Timestamp;
use nakhoda_api::Status;
use nakhoda_api::quantity::{Format, Quantity};
use nakhoda_api::time::{go_duration, now_rfc3339};
use nakhoda_rpc::v1::{NodeUsage, Usage, UsageRequest};
use serde_json::{Value, json};

use super::locate;
use crate::verb::Call;

/// A node that has not answered by then is left out.
const WITHIN: Duration = Duration::from_secs(3);
/// So many nodes are asked at a time.
const PARALLEL: usize = 256;

/// What the nodes tell that answer, by node; of their pods only if these are wanted.
pub async fn ask(call: &Call, nodes: BTreeSet<String>, pods: bool) -> Result<HashMap<String, NodeUsage>, Status> {
    let kubelets = locate::kubelets(call)?;
    let one = |name: String| async move {
        let answer = async {
            let mut node = kubelets.node(&locate::place(call, &name)?)?;
            let told = node.usage(UsageRequest { pods }).await;
            told.map(tonic::Response::into_inner).map_err(|error| nakhoda_rpc::status::from_tonic(&error))
        };
        match tokio::time::timeout(WITHIN, answer).await {
            Ok(Ok(told)) => Some((name, told)),
            Ok(Err(status)) => {
                tracing::debug!(node = name, error = %status, "usage not told");
                None
            }
            Err(_) => {
                tracing::debug!(node = name, "usage not told in time");
                None
            }
        }
    };
    let answers = futures::stream::iter(nodes).map(one).buffer_unordered(PARALLEL);
    Ok(answers.filter_map(std::future::ready).collect().await)
}

/// Amounts as the metrics API has them.
#[must_use]
pub fn amounts(usage: &Usage) -> Value {
    let cpu = Quantity::parse(&format!("{}n", usage.nano_cores)).unwrap_or_default();
    let memory = Quantity::new(i64::try_from(usage.memory).unwrap_or(i64::MAX), Format::BinarySi);
    json!({"cpu": cpu.to_string(), "memory": memory.to_string()})
}

/// Puts down when something was measured, and over which time until then.
pub fn stamp(object: &mut Value, usage: &Usage) {
    let time = Timestamp::from_nanosecond(usage.time.into()).unwrap_or_default();
    object["timestamp"] = now_rfc3339(time).into();
    object["window"] = go_duration(usage.window).into();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_and_times_are_written_as_the_metrics_server_writes_them() {
        for (nano_cores, memory, cpu, bytes) in
            [(1_234_567, 12_582_912, "1234567n", "12Mi"), (250_000_000, 1_025, "250m", "1025"), (0, 0, "0", "0")]
        {
            let usage = Usage { nano_cores, memory, ..Usage::default() };
            assert_eq!(amounts(&usage), json!({"cpu": cpu, "memory": bytes}));
        }
        let mut object = json!({});
        stamp(&mut object, &Usage { time: 1_500_000_000, window: 10_250_000_000, ..Usage::default() });
        assert_eq!(object, json!({"timestamp": "1970-01-01T00:00:01Z", "window": "10.25s"}));
    }
}
