//! Replication controllers: printed as replica sets are.

use serde_json::Value;

use super::replica_set;
use super::sheet::Sheet;
use crate::{Cluster, Error};

/// Writes a replication controller.
pub async fn describe(sheet: &mut Sheet, cluster: &Cluster, object: &Value) -> Result<(), Error> {
    replica_set::describe(sheet, cluster, object).await
}
