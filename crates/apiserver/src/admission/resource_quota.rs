//! ResourceQuota: its place in the chain and its configuration. What is written is charged behind the chain, in the
//! transaction that writes it (`quota.rs`).

use nakhoda_api::GroupResource;
use nakhoda_api::quota::{Limited, Requirement};
use serde::Deserialize;
use serde_json::Value;

use super::{Attributes, Plugin};

/// Upstream's name of it.
pub const NAME: &str = "ResourceQuota";

/// The plugin.
pub struct ResourceQuota;

/// One of `limitedResources`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Given {
    #[serde(default)]
    api_group: String,
    resource: String,
    #[serde(default)]
    match_contains: Vec<String>,
    #[serde(default)]
    match_scopes: Vec<Requirement>,
}

impl Plugin for ResourceQuota {
    fn name(&self) -> &'static str {
        NAME
    }

    fn handles(&self, _: &Attributes<'_>) -> bool {
        false
    }

    fn configure(&mut self, configuration: &Value) -> Result<(), String> {
        limited(configuration).map(drop)
    }
}

/// What nobody may have unless a quota says so.
pub fn limited(configuration: &Value) -> Result<Vec<Limited>, String> {
    let given: Vec<Given> = match &configuration["limitedResources"] {
        Value::Null => Vec::new(),
        list => serde_json::from_value(list.clone()).map_err(|error| format!("limitedResources: {error}"))?,
    };
    let limited = given.into_iter().map(|one| Limited {
        resource: GroupResource::new(one.api_group, one.resource),
        contains: one.match_contains,
        scopes: one.match_scopes,
    });
    Ok(limited.collect())
}
