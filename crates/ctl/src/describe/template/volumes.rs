//! Volumes and where they come from.

use serde_json::Value;

use crate::cluster::{items, text};
use crate::describe::sheet::Sheet;
use crate::describe::values::scalar;

/// The section `Volumes`.
pub fn write(sheet: &mut Sheet, level: usize, volumes: &Value) {
    let all = volumes.as_array().map(Vec::as_slice).unwrap_or_default();
    if all.is_empty() {
        sheet.field(level, "Volumes", "<none>");
        return;
    }
    sheet.line(level, "Volumes:");
    let indent = if level > 0 { " " } else { "" };
    for volume in all {
        sheet.line(1, format!("{indent}{}:", text(volume, "/name")));
        for (name, value) in source(volume) {
            sheet.field(2, name, value);
        }
    }
}

type Fields = Vec<(&'static str, String)>;

fn source(volume: &Value) -> Fields {
    let (kind, of) = volume
        .as_object()
        .and_then(|fields| fields.iter().find(|(key, value)| *key != "name" && value.is_object()))
        .map_or(("emptyDir", &Value::Null), |(kind, value)| (kind.as_str(), value));
    let field = |path| text(of, path).to_owned();
    let optional = ("Optional", (of["optional"] == true).to_string());
    match kind {
        "hostPath" => vec![
            ("Type", "HostPath (bare host directory volume)".into()),
            ("Path", field("/path")),
            ("HostPathType", field("/type")),
        ],
        "emptyDir" => vec![
            ("Type", "EmptyDir (a temporary directory that shares a pod's lifetime)".into()),
            ("Medium", field("/medium")),
            ("SizeLimit", if of["sizeLimit"].is_null() { "<unset>".into() } else { scalar(&of["sizeLimit"]) }),
        ],
        "secret" => vec![
            ("Type", "Secret (a volume populated by a Secret)".into()),
            ("SecretName", field("/secretName")),
            optional,
        ],
        "configMap" => {
            vec![("Type", "ConfigMap (a volume populated by a ConfigMap)".into()), ("Name", field("/name")), optional]
        }
        "downwardAPI" => vec![("Type", "DownwardAPI (a volume populated by information about the pod)".into())],
        "persistentVolumeClaim" => vec![
            ("Type", "PersistentVolumeClaim (a reference to a PersistentVolumeClaim in the same namespace)".into()),
            ("ClaimName", field("/claimName")),
            ("ReadOnly", (of["readOnly"] == true).to_string()),
        ],
        "projected" => projected(of),
        other => vec![("Type", other.to_owned())],
    }
}

fn projected(of: &Value) -> Fields {
    let mut fields: Fields =
        vec![("Type", "Projected (a volume that contains injected data from multiple sources)".into())];
    for source in items(of, "/sources") {
        if source["secret"].is_object() {
            fields.push(("SecretName", text(source, "/secret/name").into()));
        } else if source["configMap"].is_object() {
            fields.push(("ConfigMapName", text(source, "/configMap/name").into()));
            fields.push(("Optional", (source["configMap"]["optional"] == true).to_string()));
        } else if source["downwardAPI"].is_object() {
            fields.push(("DownwardAPI", "true".into()));
        } else if source["serviceAccountToken"].is_object() {
            fields.push(("TokenExpirationSeconds", scalar(&source["serviceAccountToken"]["expirationSeconds"])));
        }
    }
    fields
}
