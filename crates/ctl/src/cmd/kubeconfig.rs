//! `kubeconfig`: adds a cluster's context to the user's kubeconfig, or takes it out again; all else in
//! the file stays as it is.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use nakhoda_daemon::pki::write_private;
use serde_json::{Value, json};

use crate::{Context, Error};

/// The three lists of a kubeconfig whose entries have names.
const LISTS: [&str; 3] = ["clusters", "contexts", "users"];

/// Add a cluster's context to the user's kubeconfig, or remove it
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// Add the current context of another file
    Add {
        /// The file that has it
        #[arg(long)]
        from: PathBuf,
        /// The name that cluster, context and user get
        #[arg(long)]
        name: String,
    },
    /// Remove what `add` added
    Remove {
        /// The name of cluster, context and user
        #[arg(long)]
        name: String,
    },
}

/// Runs the command.
pub async fn run(args: Args, _: &Context) -> Result<ExitCode, Error> {
    let path = user_file();
    let mut config = if path.exists() { read(&path)? } else { json!({"apiVersion": "v1", "kind": "Config"}) };
    match args.what {
        What::Add { from, name } => add(&mut config, &read(&from)?, &name),
        What::Remove { name } => remove(&mut config, &name),
    }
    let text = serde_saphyr::to_string(&config).map_err(|e| Error::Yaml { path: path.clone(), source: Box::new(e) })?;
    write_private(&path, text.as_bytes())?;
    Ok(ExitCode::SUCCESS)
}

/// The first file of KUBECONFIG, or `~/.kube/config`.
fn user_file() -> PathBuf {
    let listed = std::env::var_os("KUBECONFIG").and_then(|list| std::env::split_paths(&list).next());
    let home = || PathBuf::from(std::env::var_os("HOME").unwrap_or_else(|| "/root".into()));
    listed.filter(|p| !p.as_os_str().is_empty()).unwrap_or_else(|| home().join(".kube/config"))
}

fn read(path: &Path) -> Result<Value, Error> {
    let text = std::fs::read_to_string(path).map_err(|source| Error::Read { path: path.into(), source })?;
    serde_saphyr::from_str(&text).map_err(|e| Error::Yaml { path: path.into(), source: Box::new(e) })
}

/// Takes the first cluster and user of `from`: a file that the cluster made has one of each.
fn add(config: &mut Value, from: &Value, name: &str) {
    let current = config["current-context"].as_str().unwrap_or_default().to_owned();
    remove(config, name);
    let entries = [
        json!({"name": name, "cluster": from["clusters"][0]["cluster"]}),
        json!({"name": name, "context": {"cluster": name, "user": name}}),
        json!({"name": name, "user": from["users"][0]["user"]}),
    ];
    for (list, entry) in LISTS.iter().zip(entries) {
        match config[*list].as_array_mut() {
            Some(items) => items.push(entry),
            None => config[*list] = json!([entry]),
        }
    }
    config["current-context"] = if current.is_empty() { name.into() } else { current.into() };
}

fn remove(config: &mut Value, name: &str) {
    for list in LISTS {
        if let Some(items) = config[list].as_array_mut() {
            items.retain(|item| item["name"] != name);
        }
    }
    if config["current-context"] == name {
        config["current-context"] = "".into();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_there_stays() {
        let mut config = json!({"contexts": [{"name": "mine"}], "current-context": "mine", "preferences": {"colors": true}});
        let before = config.clone();
        let from = json!({"clusters": [{"cluster": {"server": "s"}}], "users": [{"user": {"token": "t"}}]});
        add(&mut config, &from, "nakhoda");
        add(&mut config, &from, "nakhoda");
        assert_eq!(config["contexts"].as_array().map(Vec::len), Some(2));
        assert_eq!(config["current-context"], "mine");
        remove(&mut config, "nakhoda");
        assert_eq!((&config["contexts"], &config["preferences"]), (&before["contexts"], &before["preferences"]));
    }
}
