//! `patch`: changes fields of objects.

use std::path::PathBuf;
use std::process::ExitCode;

use nakhoda_client::{Patch, PatchKind};
use serde_json::Value;

use crate::manifest::{self, Files};
use crate::report::Writing;
use crate::targets::{self, Item, Outcomes, Select};
use crate::{Cluster, Context, Error};

/// Update fields of a resource
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  ctl patch deployment web -p '{\"spec\":{\"replicas\":3}}'")]
pub struct Args {
    /// TYPE NAME or TYPE/NAME
    what: Vec<String>,
    /// The patch, JSON or YAML
    #[arg(long, short, required_unless_present = "patch_file", conflicts_with = "patch_file")]
    patch: Option<String>,
    /// A file that holds the patch
    #[arg(long)]
    patch_file: Option<PathBuf>,
    /// strategic, merge or json
    #[arg(long = "type", value_enum, default_value = "strategic")]
    kind: Kind,
    /// Patch this part of the object, for example status or scale
    #[arg(long, default_value = "", hide_default_value = true)]
    subresource: String,
    #[command(flatten)]
    files: Files,
    #[command(flatten)]
    writing: Writing,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Kind {
    Strategic,
    Merge,
    Json,
}

/// Runs the command.
pub async fn run(args: Args, context: &Context) -> Result<ExitCode, Error> {
    let patch = args.read()?;
    let (cluster, report) = super::create::prepare(&args.writing, context).await?;
    let mut outcomes = Outcomes::default();
    for item in targets::items(&cluster, &args.what, &args.files, &Select::default()).await? {
        if let Some((object, changed)) = outcomes.take(apply(&cluster, &item, &patch, &args).await) {
            report.done(&item.resource, &object, if changed { "patched" } else { "patched (no change)" })?;
        }
    }
    Ok(outcomes.code())
}

async fn apply(cluster: &Cluster, item: &Item, patch: &Patch, args: &Args) -> Result<(Value, bool), Error> {
    let before = item.get(cluster).await?;
    if args.writing.is_local() {
        return Ok((before, true));
    }
    let after: Value = item.api(cluster).patch_sub(&item.name, &args.subresource, patch).await?;
    let version = |object: &Value| object["metadata"]["resourceVersion"].clone();
    let changed = version(&before) != version(&after) || args.writing.is_rehearsal();
    Ok((after, changed))
}

// === impl Args ===

impl Args {
    fn read(&self) -> Result<Patch, Error> {
        let text = match (&self.patch, &self.patch_file) {
            (Some(text), _) => text.clone(),
            (None, Some(path)) => {
                std::fs::read_to_string(path).map_err(|source| Error::Read { path: path.clone(), source })?
            }
            (None, None) => String::new(),
        };
        let value = manifest::yaml(text.as_bytes()).map_err(|e| Error::Usage(format!("unable to parse {text:?}: {e}")))?;
        let kind = match self.kind {
            Kind::Strategic => PatchKind::Strategic,
            Kind::Merge => PatchKind::Merge,
            Kind::Json => PatchKind::Json,
        };
        Ok(Patch { kind, body: value.to_string().into_bytes(), force: false })
    }
}
