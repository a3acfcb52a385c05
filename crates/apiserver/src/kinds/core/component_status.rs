//! ComponentStatus: whether a part of the control plane is well. Asked anew for every answer, never stored.

use nakhoda_api::Scope;
use nakhoda_api::kinds::core::{ComponentCondition, ComponentStatus};

use crate::kind::{Columns, Info, Kind};
use crate::rules::check::{list, text};

/// The kind.
pub struct ComponentStatuses;

impl Kind for ComponentStatuses {
    type Object = ComponentStatus;

    fn info() -> Info {
        Info {
            short: &["cs"],
            verbs: &["get", "list"],
            virtual_: true,
            deprecated: Some("v1 ComponentStatus is deprecated in v1.19+"),
            ..Info::of::<ComponentStatus>("componentstatuses", "componentstatus", Scope::Cluster)
        }
    }

    fn columns() -> Columns<ComponentStatus> {
        fn health(status: &ComponentStatus) -> Option<&ComponentCondition> {
            list(&status.conditions).iter().find(|condition| condition.type_ == "Healthy")
        }
        Columns::<ComponentStatus>::named()
            .text("Status", |s, _| match health(s).map(|condition| condition.status.as_str()) {
                Some("True") => "Healthy".into(),
                Some("False") => "Unhealthy".into(),
                _ => "Unknown".into(),
            })
            .text("Message", |s, _| health(s).map_or("", |condition| text(&condition.message)).into())
            .text("Error", |s, _| health(s).map_or("", |condition| text(&condition.error)).into())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::kinds::testing::row;

    #[test]
    fn the_row_tells_whether_the_component_is_well() {
        for (status, shown) in [("True", "Healthy"), ("False", "Unhealthy"), ("Unknown", "Unknown")] {
            let condition = json!({"type": "Healthy", "status": status, "message": "ok"});
            let cells = row::<ComponentStatuses>(json!({"metadata": {"name": "etcd-0"}, "conditions": [condition]}));
            assert_eq!(cells, [json!("etcd-0"), json!(shown), json!("ok"), json!("")]);
        }
    }
}
