//! `describe`: objects with all that belongs to them, for people.

use std::process::ExitCode;

use nakhoda_client::Selection;

use crate::cluster::text;
use crate::manifest::Files;
use crate::output::out;
use crate::targets::{self, Item, Outcomes, Select};
use crate::{Cluster, Context, Error, describe};

/// Show details of a resource or of several
#[derive(Debug, clap::Args)]
pub struct Args {
    /// TYPE [NAME or its beginning…], or TYPE/NAME…
    what: Vec<String>,
    #[command(flatten)]
    files: Files,
    #[command(flatten)]
    select: Select,
    /// With events
    #[arg(long, default_value = "true", num_args = 0..=1, require_equals = true, default_missing_value = "true", action = clap::ArgAction::Set)]
    show_events: bool,
}

/// Runs the command.
pub async fn run(args: Args, context: &Context) -> Result<ExitCode, Error> {
    let cluster = Cluster::load(context).await?;
    let mut select = args.select.clone();
    // a type alone means all of them
    let bare = args.what.len() == 1 && !args.what[0].contains('/');
    select.all |= bare && !select.is_given();
    let items = targets::items(&cluster, &args.what, &args.files, &select).await?;
    if items.is_empty() {
        eprintln!("No resources found in {} namespace.", cluster.namespace);
    }
    let mut outcomes = Outcomes::default();
    let mut printed = 0;
    for item in items {
        for object in outcomes.take(objects(&cluster, &item).await).unwrap_or_default() {
            let Some(text) = outcomes.take(describe::text(&cluster, &object, args.show_events).await) else { continue };
            if printed > 0 {
                out::text("\n\n");
            }
            out::text(&text);
            printed += 1;
        }
    }
    Ok(outcomes.code())
}

/// The object of this name, or those whose names begin so.
async fn objects(cluster: &Cluster, item: &Item) -> Result<Vec<serde_json::Value>, Error> {
    let failure = match item.get(cluster).await {
        Ok(object) => return Ok(vec![object]),
        Err(error) if error.is_not_found() => error,
        Err(error) => return Err(error),
    };
    let mut all = cluster.list(&item.resource, &item.namespace, &Selection::default()).await?;
    all.retain(|object| text(object, "/metadata/name").starts_with(&item.name));
    if all.is_empty() { Err(failure) } else { Ok(all) }
}
