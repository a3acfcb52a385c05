//! The events of an object.

use nakhoda_client::Selection;
use serde_json::Value;

use super::sheet::Sheet;
use super::values::age;
use crate::cluster::text;
use crate::{Cluster, Error};

/// Those of this object alone: by name, kind and UID.
pub async fn of(cluster: &Cluster, object: &Value) -> Result<Vec<Value>, Error> {
    let field = |path| text(object, path);
    // events of what belongs to the whole cluster lie in the namespace default
    let namespace = Some(field("/metadata/namespace")).filter(|n| !n.is_empty()).unwrap_or("default");
    let mut fields = format!("involvedObject.name={},involvedObject.kind={}", field("/metadata/name"), field("/kind"));
    // a node's events carry its name as UID
    if field("/kind") != "Node" && !field("/metadata/uid").is_empty() {
        fields.push_str(&format!(",involvedObject.uid={}", field("/metadata/uid")));
    }
    let mut events = cluster.list(cluster.mapping.find("events")?, namespace, &Selection::fields(fields)).await?;
    events.sort_by_key(|event| last(event).to_owned());
    Ok(events)
}

/// When an event was seen last.
#[must_use]
pub fn last(event: &Value) -> &str {
    let paths = ["/series/lastObservedTime", "/lastTimestamp", "/eventTime", "/metadata/creationTimestamp"];
    paths.iter().map(|path| text(event, path)).find(|time| !time.is_empty()).unwrap_or_default()
}

/// The section `Events`.
pub fn write(sheet: &mut Sheet, events: &[Value]) {
    if events.is_empty() {
        sheet.field(0, "Events", "<none>");
        return;
    }
    sheet.cut();
    sheet.line(0, "Events:");
    sheet.line(1, "Type\tReason\tAge\tFrom\tMessage");
    sheet.line(1, "----\t------\t----\t----\t-------");
    for event in events {
        sheet.line(1, line(sheet, event));
    }
}

fn line(sheet: &Sheet, event: &Value) -> String {
    let field = |path| text(event, path);
    let since = |time: &str| age(sheet.now, time);
    let first = if field("/eventTime").is_empty() { field("/firstTimestamp") } else { field("/eventTime") };
    let interval = match (event["series"]["count"].as_i64(), event["count"].as_i64()) {
        (Some(count), _) => format!("{} (x{count} over {})", since(last(event)), since(first)),
        (None, Some(count @ 2..)) => format!("{} (x{count} over {})", since(field("/lastTimestamp")), since(first)),
        _ => since(first),
    };
    let source = Some(field("/source/component")).filter(|s| !s.is_empty()).unwrap_or(field("/reportingComponent"));
    let message = field("/message").trim();
    let message = match field("/involvedObject/fieldPath") {
        "" => message.to_owned(),
        path => format!("{path}: {message}"),
    };
    format!("{}\t{}\t{interval}\t{source}\t{message}", field("/type"), field("/reason"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_event_that_came_often_is_one_line() {
        let mut sheet = Sheet::new("2026-01-01T00:01:00Z".parse().expect("a time"));
        let event = json!({"type": "Warning", "reason": "BackOff", "count": 3, "firstTimestamp": "2026-01-01T00:00:00Z",
            "lastTimestamp": "2026-01-01T00:00:50Z", "source": {"component": "kubelet"}, "message": "Back-off"});
        write(&mut sheet, &[event]);
        assert_eq!(
            sheet.text(),
            "Events:\n  Type     Reason   Age                From     Message\n  ----     ------   ----               ----     -------\n  Warning  BackOff  10s (x3 over 60s)  kubelet  Back-off\n"
        );
    }
}
