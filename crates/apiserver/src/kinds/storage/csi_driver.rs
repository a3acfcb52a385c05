//! CSIDriver: what the cluster must know of a storage driver before it calls it.

use nakhoda_api::Scope;
use nakhoda_api::field::{Errors, Path};
use nakhoda_api::kinds::storage::{CSIDriver, CSIDriverSpec, TokenRequest};
use serde_json::Value;

use crate::kind::{Columns, Cx, Info, Kind};
use crate::rules::check::{immutable, list, same, supported};
use crate::rules::print::NONE;

/// The kind.
pub struct CsiDrivers;

const FS_GROUP: &[&str] = &["File", "None", "ReadWriteOnceWithFSType"];
const TOKENS: &str = "spec.serviceAccountTokenInSecrets is unset; if supported by this CSI driver, set to true to prevent possible logging of tokens in volume attributes";

impl Kind for CsiDrivers {
    type Object = CSIDriver;

    fn info() -> Info {
        Info {
            generation: true,
            unconditional_update: false,
            returns_deleted: true,
            ..Info::of::<CSIDriver>("csidrivers", "csidriver", Scope::Cluster)
        }
    }

    fn default(driver: &mut CSIDriver) {
        let spec = &mut driver.spec;
        spec.attach_required.get_or_insert(true);
        let off = [
            &mut spec.pod_info_on_mount,
            &mut spec.storage_capacity,
            &mut spec.requires_republish,
            &mut spec.se_linux_mount,
        ];
        off.into_iter().for_each(|flag| {
            flag.get_or_insert(false);
        });
        spec.fs_group_policy.get_or_insert_with(|| "ReadWriteOnceWithFSType".into());
        if list(&spec.volume_lifecycle_modes).is_empty() {
            spec.volume_lifecycle_modes = Some(vec!["Persistent".into()]);
        }
    }

    fn prepare(_: &Cx, new: &mut CSIDriver, old: Option<&CSIDriver>) {
        if old.is_none() {
            // upstream counts changes only
            new.metadata.generation = None;
        }
        if old.is_none_or(|o| o.spec.prevent_pod_scheduling_if_missing.is_none()) {
            // its switch is off
            new.spec.prevent_pod_scheduling_if_missing = None;
        }
    }

    fn validate(_: &Cx, new: &CSIDriver, old: Option<&CSIDriver>, errors: &mut Errors) {
        let (path, spec) = (Path::new("spec"), &new.spec);
        if let Some(policy) = &spec.fs_group_policy {
            supported(errors, &path.child("fsGroupPolicy"), policy, FS_GROUP);
        }
        tokens(errors, &path.child("tokenRequests"), list(&spec.token_requests));
        modes(errors, &path.child("volumeLifecycleModes"), list(&spec.volume_lifecycle_modes));
        if let Some(seconds) = spec.node_allocatable_update_period_seconds.filter(|s| *s < 10) {
            let at = path.child("nodeAllocatableUpdatePeriodSeconds");
            errors.invalid(&at, seconds, "must be greater than or equal to 10 seconds");
        }
        if let Some(secrets) = spec.service_account_token_in_secrets.filter(|_| list(&spec.token_requests).is_empty()) {
            let why = "serviceAccountTokenInSecrets is set but no tokenRequests are specified";
            errors.invalid(&path.child("serviceAccountTokenInSecrets"), secrets, why);
        }
        if let Some(old) = old {
            // upstream's name for the field
            immutable(errors, &path.child("attachedRequired"), &spec.attach_required, &old.spec.attach_required);
            let (modes, before) = (&spec.volume_lifecycle_modes, &old.spec.volume_lifecycle_modes);
            immutable(errors, &path.child("volumeLifecycleModes"), modes, before);
        }
    }

    fn warnings(new: &CSIDriver, old: Option<&CSIDriver>) -> Vec<String> {
        let asks = |spec: &CSIDriverSpec| list(&spec.token_requests).to_vec();
        let changed = old.is_none_or(|old| !same(&asks(&old.spec), &asks(&new.spec)));
        let open = new.spec.service_account_token_in_secrets.is_none() && !asks(&new.spec).is_empty();
        if changed && open { vec![TOKENS.into()] } else { Vec::new() }
    }

    fn columns() -> Columns<CSIDriver> {
        Columns::<CSIDriver>::named()
            .add("AttachRequired", "boolean", 0, |d, _| Value::Bool(d.spec.attach_required.unwrap_or(true)))
            .add("PodInfoOnMount", "boolean", 0, |d, _| flag(d.spec.pod_info_on_mount))
            .add("StorageCapacity", "boolean", 0, |d, _| flag(d.spec.storage_capacity))
            .text("TokenRequests", |d, _| audiences(d).into())
            .add("RequiresRepublish", "boolean", 0, |d, _| flag(d.spec.requires_republish))
            .text("Modes", |d, _| match list(&d.spec.volume_lifecycle_modes) {
                [] => NONE.into(),
                modes => modes.join(",").into(),
            })
            .age()
    }
}

fn flag(flag: Option<bool>) -> Value {
    Value::Bool(flag.unwrap_or(false))
}

fn audiences(driver: &CSIDriver) -> String {
    let requests = driver.spec.token_requests.as_ref();
    let names = |r: &Vec<TokenRequest>| r.iter().map(|t| t.audience.as_str()).collect::<Vec<_>>().join(",");
    requests.map_or_else(|| "<unset>".into(), names)
}

/// One token for each audience.
fn tokens(errors: &mut Errors, path: &Path, requests: &[TokenRequest]) {
    for (i, request) in requests.iter().enumerate() {
        let at = path.index(i);
        if requests[..i].iter().any(|other| other.audience == request.audience) {
            errors.duplicate(&at.child("audience"), request.audience.as_str());
            continue;
        }
        let Some(seconds) = request.expiration_seconds else { continue };
        let at = at.child("expirationSeconds");
        if seconds < 600 {
            errors.invalid(&at, seconds, "may not specify a duration less than 10 minutes");
        }
        if seconds > 1 << 32 {
            errors.invalid(&at, seconds, "may not specify a duration larger than 2^32 seconds");
        }
    }
}

fn modes(errors: &mut Errors, path: &Path, modes: &[String]) {
    for mode in modes {
        supported(errors, path, mode, &["Persistent", "Ephemeral"]);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::kinds::testing::{create, defaulted, row, update};

    #[test]
    fn a_driver_is_told_what_it_may_ask_for() {
        let tokens = json!([{"audience": "a", "expirationSeconds": 1}, {"audience": "a"}]);
        assert_eq!(
            create::<CsiDrivers>(json!({"metadata": {"name": "d"}, "spec": {"fsGroupPolicy": "Any", "tokenRequests": tokens, "volumeLifecycleModes": ["Odd"]}})),
            "[spec.fsGroupPolicy: Unsupported value: \"Any\": supported values: \"File\", \"None\", \"ReadWriteOnceWithFSType\", \
             spec.tokenRequests[0].expirationSeconds: Invalid value: 1: may not specify a duration less than 10 minutes, \
             spec.tokenRequests[1].audience: Duplicate value: \"a\", \
             spec.volumeLifecycleModes: Unsupported value: \"Odd\": supported values: \"Persistent\", \"Ephemeral\"]"
        );
        assert_eq!(
            update::<CsiDrivers>(json!({"spec": {"attachRequired": true}}), json!({"spec": {"attachRequired": false}})),
            "spec.attachedRequired: Invalid value: false: field is immutable"
        );
    }

    #[test]
    fn a_row_tells_how_a_driver_is_called() {
        let driver = defaulted::<CsiDrivers>(json!({"metadata": {"name": "d"}, "spec": {}}));
        let told = json!(["d", true, false, false, "<unset>", false, "Persistent", "<unknown>"]);
        assert_eq!(json!(row::<CsiDrivers>(driver)), told);
    }
}
