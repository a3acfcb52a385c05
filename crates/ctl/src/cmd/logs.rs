//! `logs`: what containers wrote; of one pod, of a workload, or of all that a selector selects.

use std::process::ExitCode;
use std::time::Duration;

use futures::StreamExt;
use futures::future::join_all;
use nakhoda_client::Selection;
use serde_json::Value;

use crate::cluster::text;
use crate::output::out;
use crate::stream::{self, Place};
use crate::targets::Outcomes;
use crate::{Cluster, Context, Error, pods, targets, wait};

/// Lines of each container, where a selector selects and nobody says how many.
const TAIL: i64 = 10;

/// Print the logs of containers
#[derive(Debug, clap::Args)]
#[command(visible_alias = "log")]
pub struct Args {
    /// POD or TYPE/NAME, and a container
    #[arg(value_name = "POD | TYPE/NAME", num_args = 0..=2)]
    what: Vec<String>,
    /// Label selector
    #[arg(long, short = 'l', conflicts_with = "what")]
    selector: Option<String>,
    /// Follow the logs
    #[arg(long, short)]
    follow: bool,
    /// Of the container's previous instance
    #[arg(long, short)]
    previous: bool,
    /// Container
    #[arg(long, short)]
    container: Option<String>,
    /// Of all containers
    #[arg(long)]
    all_containers: bool,
    /// Of all pods of the workload
    #[arg(long)]
    all_pods: bool,
    /// So many lines from the end; -1: all
    #[arg(long, allow_negative_numbers = true)]
    tail: Option<i64>,
    /// Newer than this, as 5s, 2m, 3h
    #[arg(long, value_parser = wait::duration, conflicts_with = "since_time")]
    since: Option<Duration>,
    /// Newer than this time of RFC 3339
    #[arg(long)]
    since_time: Option<String>,
    /// With the time of each line
    #[arg(long)]
    timestamps: bool,
    /// So many bytes at most
    #[arg(long)]
    limit_bytes: Option<i64>,
    /// Pod and container before each line
    #[arg(long)]
    prefix: bool,
    /// How many logs are followed at once at most
    #[arg(long, default_value_t = 5)]
    max_log_requests: usize,
    /// Go on after a log that cannot be read
    #[arg(long)]
    ignore_errors: bool,
}

/// One container's log.
struct Source {
    namespace: String,
    pod: String,
    container: String,
}

/// Runs the command.
pub async fn run(args: Args, context: &Context) -> Result<ExitCode, Error> {
    let cluster = Cluster::load(context).await?;
    let sources = args.sources(&cluster).await?;
    if args.follow && sources.len() > args.max_log_requests {
        return Err(Error::Usage(format!(
            "you are attempting to follow {} log streams, but maximum allowed concurrency is {}, use --max-log-requests to increase the limit",
            sources.len(),
            args.max_log_requests
        )));
    }
    let mut outcomes = Outcomes::default();
    if args.follow {
        let all = join_all(sources.iter().map(|source| args.print(&cluster, source))).await;
        for outcome in all {
            outcomes.take(outcome);
        }
        return Ok(outcomes.code());
    }
    for source in &sources {
        let failed = outcomes.take(args.print(&cluster, source).await).is_none();
        if failed && !args.ignore_errors {
            break;
        }
    }
    Ok(outcomes.code())
}

// === impl Args ===

impl Args {
    async fn sources(&self, cluster: &Cluster) -> Result<Vec<Source>, Error> {
        let pods = match (&self.selector, self.what.first()) {
            (Some(selector), _) => {
                let resource = cluster.mapping.find("pods")?;
                let pods = cluster.list(resource, &cluster.namespace, &Selection::labels(selector)).await?;
                if pods.is_empty() {
                    eprintln!("No resources found in {} namespace.", cluster.namespace);
                }
                pods
            }
            (None, Some(word)) => {
                let item = targets::one(cluster, word, "pods")?;
                if self.all_pods { pods::of(cluster, &item).await? } else { vec![pods::best(cluster, &item).await?] }
            }
            (None, None) => return Err(Error::Usage("expected 'logs [-f] [-p] (POD | TYPE/NAME) [-c CONTAINER]'".into())),
        };
        let mut sources = Vec::new();
        for pod in &pods {
            for container in self.containers(pod)? {
                let text = |pointer| text(pod, pointer).to_owned();
                sources.push(Source { namespace: text("/metadata/namespace"), pod: text("/metadata/name"), container });
            }
        }
        Ok(sources)
    }

    fn containers(&self, pod: &Value) -> Result<Vec<String>, Error> {
        if self.all_containers {
            return Ok(pods::containers(pod, true));
        }
        let named = self.container.as_deref().or_else(|| self.what.get(1).map(String::as_str));
        Ok(vec![pods::container(pod, named)?])
    }

    fn parameters(&self, container: &str) -> Vec<(&'static str, String)> {
        let mut parameters = vec![
            ("container", container.to_owned()),
            ("follow", self.follow.to_string()),
            ("previous", self.previous.to_string()),
            ("timestamps", self.timestamps.to_string()),
        ];
        let tail = self.tail.or_else(|| self.selector.as_ref().map(|_| TAIL)).filter(|lines| *lines >= 0);
        parameters.extend(tail.map(|lines| ("tailLines", lines.to_string())));
        parameters.extend(self.since.map(|since| ("sinceSeconds", since.as_secs().max(1).to_string())));
        parameters.extend(self.since_time.clone().map(|time| ("sinceTime", time)));
        parameters.extend(self.limit_bytes.map(|bytes| ("limitBytes", bytes.to_string())));
        parameters
    }

    async fn print(&self, cluster: &Cluster, source: &Source) -> Result<(), Error> {
        let place =
            Place { resource: "pods", namespace: &source.namespace, name: &source.pod, subresource: "log" };
        let mut frames = stream::open(&cluster.client, place, &self.parameters(&source.container)).await?;
        let prefix = if self.prefix { format!("[pod/{}/{}] ", source.pod, source.container) } else { String::new() };
        let mut lines = Lines::default();
        while let Some(frame) = frames.recv.next().await {
            match lines.whole(&prefix, &frame?.data) {
                text if text.is_empty() => {}
                text => out::bytes(&text),
            }
        }
        out::bytes(&lines.rest(&prefix));
        Ok(())
    }
}

/// Cuts bytes into lines, so that logs that come at once do not mix within one.
#[derive(Default)]
struct Lines(Vec<u8>);

// === impl Lines ===

impl Lines {
    fn whole(&mut self, prefix: &str, data: &[u8]) -> Vec<u8> {
        self.0.extend_from_slice(data);
        let Some(end) = self.0.iter().rposition(|byte| *byte == b'\n') else { return Vec::new() };
        let rest = self.0.split_off(end + 1);
        prefixed(prefix, &std::mem::replace(&mut self.0, rest))
    }

    fn rest(&mut self, prefix: &str) -> Vec<u8> {
        prefixed(prefix, &std::mem::take(&mut self.0))
    }
}

fn prefixed(prefix: &str, text: &[u8]) -> Vec<u8> {
    if prefix.is_empty() {
        return text.to_vec();
    }
    text.split_inclusive(|byte| *byte == b'\n').flat_map(|line| [prefix.as_bytes(), line].concat()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_come_whole_and_prefixed() {
        let mut lines = Lines::default();
        assert_eq!(lines.whole("p ", b"a\nb"), b"p a\n");
        assert_eq!(lines.whole("p ", b"c\nd\n"), b"p bc\np d\n");
        assert_eq!(lines.whole("p ", b"e"), b"");
        assert_eq!(lines.rest("p "), b"p e");
    }
}
