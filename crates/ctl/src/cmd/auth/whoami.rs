//! `auth whoami`: who one is to the server.

use std::process::ExitCode;

use jiff::Timestamp;
use nakhoda_api::Object;
use serde_json::{Value, json};

use crate::cluster::{items, text};
use crate::describe::sheet::Sheet;
use crate::output::out;
use crate::{Cluster, Context, Error};

/// Print the user that the server sees
#[derive(Debug, clap::Args)]
pub struct Args {}

/// Runs the command.
pub async fn run(_: Args, context: &Context) -> Result<ExitCode, Error> {
    let cluster = Cluster::load(context).await?;
    let review = json!({"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview", "metadata": {}});
    let api = cluster.api(cluster.resource_of(&review)?, "");
    let review = Object::from_value(review).map_err(|e| Error::Usage(e.to_string()))?;
    let answer = api.create(&review).await?.into_value();
    let groups: Vec<&str> = items(&answer, "/status/userInfo/groups").filter_map(Value::as_str).collect();
    let mut sheet = Sheet::new(Timestamp::now());
    sheet.line(0, "ATTRIBUTE\tVALUE");
    sheet.line(0, format!("Username\t{}", text(&answer, "/status/userInfo/username")));
    sheet.line(0, format!("Groups\t[{}]", groups.join(" ")));
    out::text(&sheet.text());
    Ok(ExitCode::SUCCESS)
}
