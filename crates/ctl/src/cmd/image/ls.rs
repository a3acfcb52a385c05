//! `image ls`: what images the nodes have.

use std::process::ExitCode;

use futures::future::join_all;
use serde_json::Value;

use super::{Nodes, ask};
use crate::output::progress::size;
use crate::output::table::Rows;
use crate::{Context, Error, output};

/// How much of an id is shown.
const ID: usize = 12;

/// List the images of nodes
#[derive(Debug, clap::Args)]
#[command(visible_alias = "list")]
pub struct Args {
    #[command(flatten)]
    nodes: Nodes,
    /// No head line
    #[arg(long)]
    no_headers: bool,
}

/// Runs the command.
pub async fn run(args: Args, context: &Context) -> Result<ExitCode, Error> {
    let client = context.client()?;
    let nodes = args.nodes.select(&client).await?;
    let parameters = [("action", "list".to_owned())];
    let answers = join_all(nodes.iter().map(|node| ask(&client, node, &parameters))).await;
    let heads = ["NODE", "IMAGE", "TAG", "IMAGE ID", "SIZE", "LOADED"].map(Into::into).to_vec();
    let mut all = Rows { heads, rows: Vec::new() };
    let mut code = ExitCode::SUCCESS;
    for (node, answer) in nodes.iter().zip(answers) {
        match answer {
            Ok(answer) => all.rows.extend(answer["images"].as_array().into_iter().flatten().flat_map(|i| rows(node, i))),
            Err(error) => {
                code = ExitCode::FAILURE;
                eprintln!("{node}: {}", crate::error::sentence(&error));
            }
        }
    }
    all.rows.sort();
    output::out::text(&all.text(args.no_headers));
    Ok(code)
}

/// One row for each name of an image.
fn rows(node: &str, image: &Value) -> Vec<Vec<String>> {
    let id = image["id"].as_str().unwrap_or_default();
    let id: String = id.strip_prefix("sha256:").unwrap_or(id).chars().take(ID).collect();
    let loaded = if image["pinned"] == true { "by hand" } else { "" };
    let row = |name: &str| {
        let (name, tag) = name.rsplit_once(':').filter(|(_, tag)| !tag.contains('/')).unwrap_or((name, "<none>"));
        vec![node.into(), name.into(), tag.into(), id.clone(), size(image["size"].as_u64().unwrap_or(0)), loaded.into()]
    };
    let names = |field: &str| image[field].as_array().into_iter().flatten().filter_map(Value::as_str).collect::<Vec<_>>();
    let tags = names("tags");
    if tags.is_empty() {
        let digest = names("digests").first().and_then(|d| d.split_once('@')).map_or("<none>", |(name, _)| name);
        return vec![row(digest)];
    }
    tags.into_iter().map(row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_image_has_a_row_for_each_name() {
        let image = json!({"id": "sha256:0123456789abcdef", "tags": ["docker.io/library/a:1", "r:5000/a"], "size": 1000, "pinned": true});
        let rows = rows("n", &image);
        assert_eq!(rows[0], ["n", "docker.io/library/a", "1", "0123456789ab", "1.00kB", "by hand"]);
        assert_eq!(rows[1][1..3], ["r:5000/a", "<none>"]);
    }
}
