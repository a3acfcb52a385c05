//! Labels and annotations by `key=value` and `key-`: what both commands share.

use nakhoda_client::Patch;
use serde_json::{Map, Value, json};

use crate::cluster::Cluster;
use crate::describe::values::pairs;
use crate::manifest::Files;
use crate::report::{Report, Writing};
use crate::targets::{self, Item, Outcomes, Select};
use crate::{Context, Error};

/// Which marks on which objects.
#[derive(Debug, clap::Args)]
pub struct Marking {
    /// TYPE NAME… or TYPE/NAME…, then KEY=VALUE to set or KEY- to remove
    #[arg(required = true, value_name = "TYPE/NAME | KEY=VALUE | KEY-")]
    words: Vec<String>,
    /// Values that are there may be replaced
    #[arg(long)]
    overwrite: bool,
    /// Print what is there
    #[arg(long)]
    list: bool,
    /// Only if the object is of this version
    #[arg(long)]
    resource_version: Option<String>,
    #[command(flatten)]
    files: Files,
    #[command(flatten)]
    select: Select,
    #[command(flatten)]
    writing: Writing,
}

/// Which part of the metadata.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Labels.
    Labels,
    /// Annotations.
    Annotations,
}

/// A value to set, or `None` to remove.
type Changes = Vec<(String, Option<String>)>;

// === impl Kind ===

impl Kind {
    const fn field(self) -> &'static str {
        match self {
            Self::Labels => "labels",
            Self::Annotations => "annotations",
        }
    }

    const fn done(self) -> &'static str {
        match self {
            Self::Labels => "labeled",
            Self::Annotations => "annotated",
        }
    }

    const fn one(self) -> &'static str {
        match self {
            Self::Labels => "label",
            Self::Annotations => "annotation",
        }
    }
}

/// Sets and removes.
pub async fn run(args: Marking, kind: Kind, context: &Context) -> Result<std::process::ExitCode, Error> {
    let (what, changes) = split(&args.words)?;
    if changes.is_empty() && !args.list {
        return Err(Error::Usage(format!("at least one {} update is required", kind.one())));
    }
    let (cluster, report) = crate::cmd::create::prepare(&args.writing, context).await?;
    let mut outcomes = Outcomes::default();
    for item in targets::items(&cluster, &what, &args.files, &args.select).await? {
        outcomes.take(mark(&cluster, &item, kind, &args, &changes, &report).await);
    }
    Ok(outcomes.code())
}

async fn mark(
    cluster: &Cluster,
    item: &Item,
    kind: Kind,
    args: &Marking,
    changes: &Changes,
    report: &Report,
) -> Result<(), Error> {
    let object = item.get(cluster).await?;
    let present = &object["metadata"][kind.field()];
    if args.list {
        pairs(present).iter().for_each(|pair| crate::say!("{pair}"));
    }
    if changes.is_empty() {
        return Ok(());
    }
    for (key, _) in changes.iter().filter(|(key, value)| value.is_none() && present[key].is_null()) {
        crate::say!("{} {key:?} not found.", kind.one());
    }
    let Some(patch) = patch(kind, present, changes, args.overwrite)? else {
        return report.done(&item.resource, &object, &format!("not {}", kind.done()));
    };
    let removed = changes.iter().all(|(_, value)| value.is_none()) && kind == Kind::Labels;
    let done = if removed { "unlabeled" } else { kind.done() };
    if args.writing.is_local() {
        return report.done(&item.resource, &object, done);
    }
    let mut metadata = json!({kind.field(): patch});
    if let Some(version) = &args.resource_version {
        metadata["resourceVersion"] = version.clone().into();
    }
    let patched = item.api(cluster).patch(&item.name, &Patch::merge(&json!({"metadata": metadata}))).await?;
    report.done(&item.resource, &patched.into_value(), done)
}

/// Words that name objects, and changes.
fn split(words: &[String]) -> Result<(Vec<String>, Changes), Error> {
    let (mut what, mut changes) = (Vec::new(), Changes::new());
    for word in words {
        let change = match word.split_once('=') {
            Some((key, value)) => (key.to_owned(), Some(value.to_owned())),
            None => match word.strip_suffix('-') {
                Some(key) => (key.to_owned(), None),
                None => {
                    what.push(word.clone());
                    continue;
                }
            },
        };
        if changes.iter().any(|(key, value)| *key == change.0 && value.is_some() != change.1.is_some()) {
            return Err(Error::Usage("can not both modify and remove a label in the same command".into()));
        }
        changes.push(change);
    }
    Ok((what, changes))
}

/// The merge patch of the map; `None` if nothing changes.
fn patch(kind: Kind, present: &Value, changes: &Changes, overwrite: bool) -> Result<Option<Value>, Error> {
    let mut patch = Map::new();
    for (key, value) in changes {
        let old = present[key].as_str();
        if old == value.as_deref() {
            continue;
        }
        if let (Some(old), Some(_), false) = (old, value, overwrite) {
            let why = format!("'{key}' already has a value ({old})");
            return Err(Error::Usage(match kind {
                Kind::Labels => format!("{why}, and --overwrite is false"),
                Kind::Annotations => {
                    format!("--overwrite is false but found the following declared annotation(s): {why}")
                }
            }));
        }
        patch.insert(key.clone(), value.clone().map_or(Value::Null, Value::from));
    }
    Ok((!patch.is_empty()).then(|| patch.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        text.split(' ').map(Into::into).collect()
    }

    #[test]
    fn objects_and_changes_are_told_apart() {
        let (what, changes) = split(&words("pod a x=y z-")).expect("words");
        assert_eq!(what, ["pod", "a"]);
        assert_eq!(changes, [("x".into(), Some("y".into())), ("z".into(), None)]);
        assert!(split(&words("pod a x=y x-")).is_err());
    }

    #[test]
    fn a_value_is_replaced_only_if_that_is_wanted() {
        let present = json!({"x": "old"});
        let changes = vec![("x".to_owned(), Some("new".to_owned()))];
        assert!(patch(Kind::Labels, &present, &changes, false).is_err());
        assert_eq!(patch(Kind::Labels, &present, &changes, true).expect("allowed"), Some(json!({"x": "new"})));
        let removed = vec![("x".to_owned(), None), ("y".to_owned(), None)];
        assert_eq!(patch(Kind::Labels, &present, &removed, false).expect("allowed"), Some(json!({"x": null})));
    }
}
