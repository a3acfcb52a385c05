//! Waiting for an object to become something, by watching it.

use std::time::Duration;

use futures::StreamExt;
use nakhoda_client::api::Watch;
use nakhoda_client::{Selection, WatchEvent};
use serde_json::Value;

use crate::targets::Item;
use crate::{Cluster, Error};

/// Rest before a watch that broke is made anew.
const PAUSE: Duration = Duration::from_millis(200);

/// Shows each state of an object, `None` while it is not there, until the judge is content. `limit` of
/// `None`: for ever.
pub async fn until(
    cluster: &Cluster,
    item: &Item,
    limit: Option<Duration>,
    judge: impl FnMut(Option<&Value>) -> Result<bool, Error>,
) -> Result<(), Error> {
    let watching = follow(cluster, item, judge);
    match limit {
        None => watching.await,
        Some(limit) => {
            let late = || Error::TimedOut(format!("{}/{}", item.resource.gvr.resource, item.name));
            tokio::time::timeout(limit, watching).await.map_err(|_| late())?
        }
    }
}

async fn follow(
    cluster: &Cluster,
    item: &Item,
    mut judge: impl FnMut(Option<&Value>) -> Result<bool, Error>,
) -> Result<(), Error> {
    let selection = Selection::fields(format!("metadata.name={}", item.name));
    let watch = Watch { selection, initial: true, resource_version: String::new() };
    loop {
        let mut events = item.api(cluster).watch(&watch).await?;
        let mut seen = false;
        while let Some(event) = events.next().await {
            let content = match event {
                Ok(WatchEvent::Added(object) | WatchEvent::Modified(object)) => {
                    seen = true;
                    judge(Some(&object.into_value()))?
                }
                Ok(WatchEvent::Deleted(_)) => judge(None)?,
                Ok(WatchEvent::Bookmark { initial_end: true, .. }) if !seen => judge(None)?,
                Ok(WatchEvent::Bookmark { .. }) => false,
                Err(_) => break,
            };
            if content {
                return Ok(());
            }
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// A duration as Go prints and people write it: `90s`, `1m30s`, `500ms`; a bare number counts seconds.
pub fn duration(text: &str) -> Result<Duration, String> {
    let invalid = || format!("invalid duration {text:?}; write for example 30s, 5m or 1h30m");
    if let Ok(seconds) = text.parse::<u64>() {
        return Ok(Duration::from_secs(seconds));
    }
    let mut total = 0.0;
    let mut rest = text.strip_prefix('-').unwrap_or(text);
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.').ok_or_else(invalid)?;
        let number: f64 = rest[..digits].parse().map_err(|_| invalid())?;
        let unit = &rest[digits..];
        let (scale, length) = match unit {
            u if u.starts_with("ms") => (0.001, 2),
            u if u.starts_with('s') => (1.0, 1),
            u if u.starts_with('m') => (60.0, 1),
            u if u.starts_with('h') => (3600.0, 1),
            _ => return Err(invalid()),
        };
        total += number * scale;
        rest = &unit[length..];
    }
    if text.is_empty() {
        return Err(invalid());
    }
    // below zero means for ever, which a week is
    let total = if text.starts_with('-') { 7.0 * 86400.0 } else { total };
    Duration::try_from_secs_f64(total).map_err(|_| invalid())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_as_go_writes_them() {
        for (text, millis) in
            [("30s", 30_000), ("1m30s", 90_000), ("500ms", 500), ("1.5h", 5_400_000), ("0", 0), ("7", 7000)]
        {
            assert_eq!(duration(text), Ok(Duration::from_millis(millis)), "{text}");
        }
        for text in ["", "x", "5d", "s"] {
            assert!(duration(text).is_err(), "{text}");
        }
    }
}
