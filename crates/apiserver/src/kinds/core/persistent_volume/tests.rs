use serde_json::{Value, json};

use super::*;
use crate::kinds::testing::{create, defaulted, row, update};

fn volume(spec: Value) -> Value {
    let mut whole = json!({"accessModes": ["ReadWriteOnce"], "capacity": {"storage": "1Gi"}});
    let fields = spec.as_object().expect("an object").clone();
    whole.as_object_mut().expect("an object").extend(fields);
    json!({"metadata": {"name": "a"}, "spec": whole})
}

#[test]
fn a_volume_has_one_source_and_a_size() {
    assert_eq!(
        create::<PersistentVolumes>(json!({"metadata": {"name": "a"}, "spec": {"hostPath": {"path": "/a"}, "nfs": {"path": "/", "server": "s"}}})),
        "[spec.accessModes: Required value, spec.capacity: Required value, spec.capacity: Unsupported value: null: supported values: \"storage\", \
         spec.nfs: Forbidden: may not specify more than 1 volume type]"
    );
    assert_eq!(
        create::<PersistentVolumes>(volume(json!({"local": {"path": "/a/../b"}}))),
        "[spec.local.path: Invalid value: \"/a/../b\": must not contain '..', spec.nodeAffinity: Required value: Local volume requires node affinity]"
    );
}

#[test]
fn the_source_of_a_volume_stays() {
    let (old, new) = (json!({"hostPath": {"path": "/a", "type": ""}}), json!({"hostPath": {"path": "/b", "type": ""}}));
    let difference = "@@ -2,7 +2,7 @@\n  \"GCEPersistentDisk\": null,\n  \"AWSElasticBlockStore\": null,\n  \"HostPath\": {\n-  \"Path\": \"/a\",\n+  \"Path\": \"/b\",\n   \"Type\": \"\"\n  },\n  \"Glusterfs\": null,\n";
    assert_eq!(
        update::<PersistentVolumes>(volume(old), volume(new)),
        format!("spec.persistentvolumesource: Forbidden: spec.persistentvolumesource is immutable after creation\n{difference}")
    );
}

#[test]
fn a_row_tells_claim_and_modes() {
    let claim = json!({"namespace": "n", "name": "c"});
    let given = volume(json!({"hostPath": {"path": "/a"}, "claimRef": claim, "accessModes": ["ReadOnlyMany", "ReadWriteOnce"]}));
    let shown = row::<PersistentVolumes>(defaulted::<PersistentVolumes>(given));
    let told = ["a", "1Gi", "RWO,ROX", "Retain", "Pending", "n/c", "", "<unset>", "", "<unknown>", "Filesystem"];
    assert_eq!(shown, told.map(Value::from));
}
