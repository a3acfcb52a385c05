//! `api-resources`: what the server serves.

use std::process::ExitCode;

use crate::mapping::Resource;
use crate::output::out;
use crate::output::table::Rows;
use crate::{Cluster, Context, Error};

/// Print the resources that the server supports
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Output format: wide, name
    #[arg(long, short, value_parser = ["wide", "name"])]
    output: Option<String>,
    /// Only those of this API group
    #[arg(long)]
    api_group: Option<String>,
    /// Only those in namespaces, or only those that are not
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    namespaced: Option<bool>,
    /// Only those that have all of these verbs
    #[arg(long, value_delimiter = ',')]
    verbs: Vec<String>,
    /// No head line
    #[arg(long)]
    no_headers: bool,
}

/// Runs the command.
pub async fn run(args: Args, context: &Context) -> Result<ExitCode, Error> {
    let cluster = Cluster::load(context).await?;
    let shown: Vec<&Resource> = cluster.mapping.all().iter().filter(|resource| args.shows(resource)).collect();
    if args.output.as_deref() == Some("name") {
        shown.iter().for_each(|resource| crate::say!("{}", resource.gvr.group_resource()));
        return Ok(ExitCode::SUCCESS);
    }
    let wide = args.output.is_some();
    let mut heads = vec!["NAME", "SHORTNAMES", "APIVERSION", "NAMESPACED", "KIND"];
    if wide {
        heads.extend(["VERBS", "CATEGORIES"]);
    }
    let row = |resource: &&Resource| {
        let mut row = vec![
            resource.gvr.resource.clone(),
            resource.short.join(","),
            version(resource),
            resource.namespaced.to_string(),
            resource.kind.clone(),
        ];
        if wide {
            row.extend([resource.verbs.join(","), resource.categories.join(",")]);
        }
        row
    };
    let rows = Rows { heads: heads.into_iter().map(Into::into).collect(), rows: shown.iter().map(row).collect() };
    out::text(&rows.text(args.no_headers));
    Ok(ExitCode::SUCCESS)
}

// === impl Args ===

impl Args {
    fn shows(&self, resource: &Resource) -> bool {
        self.api_group.as_ref().is_none_or(|group| *group == resource.gvr.group)
            && self.namespaced.is_none_or(|namespaced| namespaced == resource.namespaced)
            && self.verbs.iter().all(|verb| resource.verbs.contains(verb))
    }
}

/// `apps/v1`.
pub(super) fn version(resource: &Resource) -> String {
    match resource.gvr.group.as_str() {
        "" => resource.gvr.version.clone(),
        group => format!("{group}/{}", resource.gvr.version),
    }
}
