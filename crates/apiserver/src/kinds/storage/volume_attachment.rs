//! VolumeAttachment: a volume is to be attached to a node, or is.

use nakhoda_api::Scope;
use nakhoda_api::field::{Errors, Path};
use nakhoda_api::kinds::storage::{VolumeAttachment, VolumeAttachmentSource, VolumeAttachmentStatus, VolumeError};
use serde_json::Value;

use crate::kind::{Columns, Cx, Info, Kind, STATUS, STATUS_ONLY};
use crate::rules::check::{IMMUTABLE, keep_status, subdomain, text};
use crate::rules::defaults::volumes;
use crate::rules::volume::{persistent, sources};

/// The kind.
pub struct VolumeAttachments;

const METADATA_SIZE: usize = 256 << 10;
const MESSAGE_SIZE: usize = 1024;

impl Kind for VolumeAttachments {
    type Object = VolumeAttachment;

    fn info() -> Info {
        Info {
            subresources: &[STATUS],
            resets: STATUS_ONLY,
            unconditional_update: false,
            returns_deleted: true,
            ..Info::of::<VolumeAttachment>("volumeattachments", "volumeattachment", Scope::Cluster)
        }
    }

    fn default(attachment: &mut VolumeAttachment) {
        attachment.spec.source.inline_volume_spec.iter_mut().for_each(volumes::persistent);
    }

    fn prepare(cx: &Cx, new: &mut VolumeAttachment, old: Option<&VolumeAttachment>) {
        keep_status(cx, &mut new.status, old.map(|o| &o.status));
        new.status.get_or_insert_default();
    }

    fn validate(_: &Cx, new: &VolumeAttachment, old: Option<&VolumeAttachment>, errors: &mut Errors) {
        let (path, spec) = (Path::new("spec"), &new.spec);
        sources::driver(errors, &path.child("attacher"), &spec.attacher);
        source(errors, &path.child("source"), &spec.source);
        subdomain(errors, &path.child("nodeName"), &spec.node_name);
        if let Some(found) = &new.status {
            status(errors, found);
        }
        if let Some(volume) = &spec.source.persistent_volume_name {
            subdomain(errors, &path.child("source").child("persistentVolumeName"), volume);
        }
        if old.is_some_and(|old| *spec != old.spec) {
            errors.invalid(&path, internal(new), IMMUTABLE);
        }
    }

    fn columns() -> Columns<VolumeAttachment> {
        Columns::<VolumeAttachment>::named()
            .text("Attacher", |a, _| a.spec.attacher.clone().into())
            .format("name")
            .text("PV", |a, _| text(&a.spec.source.persistent_volume_name).into())
            .text("Node", |a, _| a.spec.node_name.clone().into())
            .add("Attached", "boolean", 0, |a, _| Value::Bool(a.status.as_ref().is_some_and(|s| s.attached)))
            .age()
    }
}

/// As upstream's internal type prints; of a volume that is given in place only that it is there.
fn internal(attachment: &VolumeAttachment) -> Value {
    let spec = &attachment.spec;
    let source = serde_json::json!({
        "PersistentVolumeName": spec.source.persistent_volume_name,
        "InlineVolumeSpec": spec.source.inline_volume_spec,
    });
    serde_json::json!({"Attacher": spec.attacher, "Source": source, "NodeName": spec.node_name})
}

fn source(errors: &mut Errors, path: &Path, source: &VolumeAttachmentSource) {
    let both = "must specify exactly one of inlineVolumeSpec and persistentVolumeName";
    match (&source.inline_volume_spec, source.persistent_volume_name.as_deref()) {
        (None, None) => errors.required(path, both),
        (Some(_), Some(_)) => errors.forbidden(path, both),
        (None, Some("")) => {
            errors.required(&path.child("persistentVolumeName"), "must specify non empty persistentVolumeName");
        }
        (None, Some(_)) => {}
        (Some(spec), None) => persistent::inline(errors, &path.child("inlineVolumeSpec"), spec),
    }
}

fn status(errors: &mut Errors, status: &VolumeAttachmentStatus) {
    let path = Path::new("status");
    let metadata = status.attachment_metadata.iter().flatten();
    if metadata.map(|(k, v)| k.len() + v.len()).sum::<usize>() > METADATA_SIZE {
        errors.too_long(&path.child("attachmentMetadata"), METADATA_SIZE);
    }
    for (field, error) in [("attachError", &status.attach_error), ("detachError", &status.detach_error)] {
        if let Some(error) = error {
            failure(errors, &path.child(field), error);
        }
    }
}

fn failure(errors: &mut Errors, path: &Path, error: &VolumeError) {
    if text(&error.message).len() > MESSAGE_SIZE {
        // upstream names the other limit
        errors.too_long(&path.child("message"), METADATA_SIZE);
    }
    if let Some(code) = error.error_code.filter(|code| *code < 0) {
        let why = format!("must be between 0 and {}, inclusive", i32::MAX);
        errors.invalid(&path.child("errorCode"), code, why);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::kinds::testing::{create, row, status, update};

    fn attachment(source: Value, node: &str) -> Value {
        json!({"metadata": {"name": "a"}, "spec": {"attacher": "d", "nodeName": node, "source": source}})
    }

    #[test]
    fn an_attachment_names_one_volume_and_stays() {
        assert_eq!(
            create::<VolumeAttachments>(attachment(json!({}), "n")),
            "spec.source: Required value: must specify exactly one of inlineVolumeSpec and persistentVolumeName"
        );
        let inline = json!({"inlineVolumeSpec": {"accessModes": ["ReadWriteOnce"], "capacity": {"storage": "1"}, "hostPath": {"path": "/"}}});
        assert_eq!(
            create::<VolumeAttachments>(attachment(inline, "n")),
            "[spec.source.inlineVolumeSpec.capacity: Forbidden: may not be specified in the context of inline volumes, \
             spec.source.inlineVolumeSpec.csi: Required value: has to be specified in the context of inline volumes]"
        );
        let named = json!({"persistentVolumeName": "v"});
        assert_eq!(
            update::<VolumeAttachments>(attachment(named.clone(), "n"), attachment(named, "m")),
            "spec: Invalid value: {\"Attacher\":\"d\",\"Source\":{\"PersistentVolumeName\":\"v\",\"InlineVolumeSpec\":null},\"NodeName\":\"m\"}: field is immutable"
        );
    }

    #[test]
    fn a_status_tells_of_failures_in_short() {
        let old = attachment(json!({"persistentVolumeName": "v"}), "n");
        let mut new = old.clone();
        new["status"] = json!({"attached": false, "attachError": {"errorCode": -1}});
        assert_eq!(
            status::<VolumeAttachments>(old.clone(), new),
            "status.attachError.errorCode: Invalid value: -1: must be between 0 and 2147483647, inclusive"
        );
        assert_eq!(row::<VolumeAttachments>(old)[1..5], [json!("d"), json!("v"), json!("n"), json!(false)]);
    }
}
