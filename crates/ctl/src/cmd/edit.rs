//! `edit`: an object in the user's editor.

use std::path::PathBuf;
use std::process::{Command, ExitCode};

use nakhoda_client::Patch;
use serde_json::Value;

use crate::manifest::{self, Files};
use crate::output::{sorted, yaml};
use crate::targets::{self, Item, Outcomes, Select};
use crate::{Cluster, Context, Error, error, merge};

/// What stands above the object.
const HEAD: &str = "\
# Please edit the object below. Lines beginning with a '#' will be ignored,
# and an empty file will abort the edit. If an error occurs while saving this file will be
# reopened with the relevant failures.
#
";

/// Edit a resource in the editor of KUBE_EDITOR or EDITOR, by default vi
#[derive(Debug, clap::Args)]
pub struct Args {
    /// TYPE NAME or TYPE/NAME
    what: Vec<String>,
    #[command(flatten)]
    files: Files,
}

/// Runs the command.
pub async fn run(args: Args, context: &Context) -> Result<ExitCode, Error> {
    let cluster = Cluster::load(context).await?.writing(false, "ctl-edit");
    let mut outcomes = Outcomes::default();
    for item in targets::items(&cluster, &args.what, &args.files, &Select::default()).await? {
        outcomes.take(edit(&cluster, &item).await);
    }
    Ok(outcomes.code())
}

async fn edit(cluster: &Cluster, item: &Item) -> Result<(), Error> {
    let mut before = item.get(cluster).await?;
    if let Some(metadata) = before["metadata"].as_object_mut() {
        metadata.shift_remove("managedFields");
    }
    let mut text = format!("{HEAD}{}", yaml(&sorted(&before))?);
    loop {
        let edited = edited(&text)?;
        if edited == text || manifest::yaml(edited.as_bytes()).is_ok_and(|value| value.is_null()) {
            eprintln!("Edit cancelled, no changes made.");
            return Ok(());
        }
        match save(cluster, item, &before, &edited).await {
            Ok(true) => {
                crate::say!("{} edited", item.printed());
                return Ok(());
            }
            Ok(false) => {
                eprintln!("Edit cancelled, no changes made.");
                return Ok(());
            }
            Err(error) => text = with_error(&edited, &error::sentence(&error)),
        }
    }
}

/// Whether there was anything to save.
async fn save(cluster: &Cluster, item: &Item, before: &Value, text: &str) -> Result<bool, Error> {
    let path = PathBuf::from(item.printed());
    let after = manifest::yaml(text.as_bytes()).map_err(|e| Error::Yaml { path, source: Box::new(e) })?;
    if after["metadata"]["name"] != before["metadata"]["name"] || after["kind"] != before["kind"] {
        return Err(Error::Usage("At least one of apiVersion, kind and name was changed".into()));
    }
    let Some(patch) = merge::difference(before, &after) else { return Ok(false) };
    item.api(cluster).patch(&item.name, &Patch::merge(&patch)).await?;
    Ok(true)
}

fn with_error(text: &str, sentence: &str) -> String {
    let reason: String = sentence.lines().map(|line| format!("# {line}\n")).collect();
    let body: String = text.lines().filter(|line| !line.starts_with('#')).map(|line| format!("{line}\n")).collect();
    format!("{HEAD}{reason}#\n{body}")
}

/// The text as the user's editor leaves it.
fn edited(text: &str) -> Result<String, Error> {
    let path = std::env::temp_dir().join(format!("ctl-edit-{}.yaml", std::process::id()));
    let failed = |source| Error::Read { path: path.clone(), source };
    nakhoda_daemon::pki::write_private(&path, text.as_bytes())?;
    let editor = ["KUBE_EDITOR", "EDITOR"].iter().find_map(|name| std::env::var(name).ok()).unwrap_or_else(|| "vi".into());
    // the editor may come with arguments
    let status = Command::new("sh").arg("-c").arg(format!("{editor} \"$0\"")).arg(&path).status();
    let outcome = status.map_err(|source| Error::Start { program: editor.clone(), source }).and_then(|status| {
        if status.success() { Ok(()) } else { Err(Error::Usage(format!("there was a problem with the editor {editor:?}"))) }
    });
    let text = std::fs::read_to_string(&path).map_err(failed);
    drop(std::fs::remove_file(&path));
    outcome?;
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_stands_above_what_was_edited() {
        let text = with_error("# old\na: 1\n", "error: x\ny");
        assert!(text.starts_with(HEAD) && text.ends_with("# error: x\n# y\n#\na: 1\n"), "{text}");
    }
}
