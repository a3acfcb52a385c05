//! `create deployment`.

use std::process::ExitCode;

use serde_json::{Value, json};

use crate::report::Writing;
use crate::{Context, Error};

/// Create a deployment
#[derive(Debug, clap::Args)]
#[command(visible_alias = "deploy", after_help = "Example:\n  ctl create deployment hello-flask --image=hello-flask:1")]
pub struct Args {
    name: String,
    /// Image to run (repeat for several containers)
    #[arg(long = "image", required = true, value_delimiter = ',')]
    images: Vec<String>,
    /// Number of replicas
    #[arg(long, short, default_value_t = 1)]
    replicas: u32,
    /// The port that the container listens on
    #[arg(long)]
    port: Option<u16>,
    /// What to run instead of the image's entry point
    #[arg(last = true)]
    command: Vec<String>,
    #[command(flatten)]
    writing: Writing,
}

/// Runs the command.
pub async fn run(args: Args, context: &Context) -> Result<ExitCode, Error> {
    if args.images.len() > 1 && !args.command.is_empty() {
        return Err(Error::Usage("cannot specify multiple --image options and command".into()));
    }
    super::submit(context, &args.writing, object(&args)).await
}

fn object(args: &Args) -> Value {
    let labels = json!({"app": args.name});
    let containers: Vec<Value> = args.images.iter().enumerate().map(|(index, image)| container(args, index, image)).collect();
    json!({
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": args.name, "labels": labels},
        "spec": {
            "replicas": args.replicas,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": containers}},
        },
    })
}

fn container(args: &Args, index: usize, image: &str) -> Value {
    let mut container = json!({"name": container_name(image), "image": image});
    if !args.command.is_empty() {
        container["command"] = json!(args.command);
    }
    if let Some(port) = args.port.filter(|_| index == 0) {
        container["ports"] = json!([{"containerPort": port}]);
    }
    container
}

/// The last part of the image's path, without tag and digest, as a label.
fn container_name(image: &str) -> String {
    let last = image.rsplit('/').next().unwrap_or(image);
    let bare = last.split([':', '@']).next().unwrap_or(last);
    bare.to_lowercase().chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_container_is_called_as_its_image() {
        for (image, name) in [("hello-flask:1", "hello-flask"), ("r:5000/a/Ng_inx@sha256:0", "ng-inx"), ("a", "a")] {
            assert_eq!(container_name(image), name);
        }
    }

    #[test]
    fn a_deployment_selects_its_own_pods() {
        let args = Args {
            name: "web".into(),
            images: vec!["a:1".into()],
            replicas: 2,
            port: Some(80),
            command: Vec::new(),
            writing: Writing::default(),
        };
        let object = object(&args);
        assert_eq!(object["spec"]["selector"]["matchLabels"], object["spec"]["template"]["metadata"]["labels"]);
        assert_eq!(object["spec"]["template"]["spec"]["containers"][0]["ports"][0]["containerPort"], 80);
    }
}
