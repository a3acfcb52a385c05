//! `set image`: other images for containers.

use std::process::ExitCode;

use nakhoda_client::Patch;
use serde_json::{Value, json};

use super::{at, pod_spec};
use crate::cluster::items;
use crate::manifest::Files;
use crate::report::Writing;
use crate::targets::{self, Outcomes, Select};
use crate::{Context, Error};

/// Update the image of containers
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  ctl set image deployment/hello-flask hello-flask=hello-flask:2\n  ctl set image deploy hello-flask *=hello-flask:2")]
pub struct Args {
    /// TYPE NAME or TYPE/NAME, then CONTAINER=IMAGE…
    #[arg(required = true, value_name = "TYPE/NAME | CONTAINER=IMAGE")]
    words: Vec<String>,
    #[command(flatten)]
    files: Files,
    #[command(flatten)]
    select: Select,
    #[command(flatten)]
    writing: Writing,
}

/// Runs the command.
pub async fn run(args: Args, context: &Context) -> Result<ExitCode, Error> {
    let (what, images): (Vec<String>, Vec<String>) = args.words.iter().cloned().partition(|word| !word.contains('='));
    let images: Vec<(&str, &str)> = images.iter().filter_map(|word| word.split_once('=')).collect();
    if images.is_empty() {
        return Err(Error::Usage("at least one image update is required".into()));
    }
    if images.len() > 1 && images.iter().any(|(name, _)| *name == "*") {
        return Err(Error::Usage("all containers are already specified by *, but saw more than one container_name=container_image pairs".into()));
    }
    let (cluster, report) = super::super::create::prepare(&args.writing, context).await?;
    let mut outcomes = Outcomes::default();
    for item in targets::items(&cluster, &what, &args.files, &args.select).await? {
        let Some(object) = outcomes.take(item.get(&cluster).await) else { continue };
        let Some(Some(patch)) = outcomes.take(patch(&object, &images)) else { continue };
        if args.writing.is_local() {
            report.done(&item.resource, &object, "image updated")?;
            continue;
        }
        let patched = item.api(&cluster).patch(&item.name, &Patch::strategic(&patch)).await;
        if let Some(object) = outcomes.take(patched.map_err(Error::from)) {
            report.done(&item.resource, &object.into_value(), "image updated")?;
        }
    }
    Ok(outcomes.code())
}

/// The strategic patch that sets the images; `None` if they are set already.
fn patch(object: &Value, images: &[(&str, &str)]) -> Result<Option<Value>, Error> {
    let (path, spec) = pod_spec(object);
    let mut inner = json!({});
    for (name, image) in images {
        let mut found = false;
        for list in ["initContainers", "containers"] {
            for container in items(spec, &format!("/{list}")).filter(|c| *name == "*" || c["name"] == *name) {
                found = true;
                if container["image"] == *image {
                    continue;
                }
                let change = json!({"name": container["name"], "image": image});
                match inner[list].as_array_mut() {
                    Some(changes) => changes.push(change),
                    None => inner[list] = json!([change]),
                }
            }
        }
        if !found {
            return Err(Error::Usage(format!("unable to find container named {name:?}")));
        }
    }
    Ok((inner != json!({})).then(|| at(path, inner)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_differs_is_changed() {
        let object = json!({"spec": {"template": {"spec": {"containers": [{"name": "a", "image": "a:1"}, {"name": "b", "image": "b:1"}]}}}});
        let containers = |images| patch(&object, images).map(|p| p.map(|p| p["spec"]["template"]["spec"]["containers"].clone()));
        assert_eq!(containers(&[("a", "a:2")]).expect("known"), Some(json!([{"name": "a", "image": "a:2"}])));
        assert_eq!(containers(&[("a", "a:1")]).expect("known"), None);
        assert_eq!(containers(&[("*", "x")]).expect("known").and_then(|c| c.as_array().map(Vec::len)), Some(2));
        assert!(containers(&[("c", "x")]).is_err());
    }
}
