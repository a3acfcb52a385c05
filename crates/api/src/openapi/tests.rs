use serde_json::json;

use super::*;

const VERBS: [&str; 8] = ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"];

fn resource(gvk: GroupVersionKind, plural: &str, scope: Scope) -> ResourceInfo {
    let status = SubresourceInfo {
        name: "status".into(),
        gvk: gvk.clone(),
        verbs: ["get", "patch", "update"].map(String::from).to_vec(),
    };
    ResourceInfo {
        list_kind: format!("{}List", gvk.kind),
        gvk,
        plural: plural.into(),
        scope,
        verbs: VERBS.map(String::from).to_vec(),
        subresources: vec![status],
        schema: None,
    }
}

fn deployments() -> ResourceInfo {
    let mut deployments = resource(GroupVersionKind::new("apps", "v1", "Deployment"), "deployments", Scope::Namespaced);
    deployments.subresources.push(SubresourceInfo {
        name: "scale".into(),
        gvk: GroupVersionKind::new("autoscaling", "v1", "Scale"),
        verbs: vec!["get".into()],
    });
    deployments
}

fn foos(schema: Value) -> ResourceInfo {
    let gvk = GroupVersionKind::new("e.example.com", "v1", "Foo");
    ResourceInfo { schema: Some(schema), ..resource(gvk, "foos", Scope::Cluster) }
}

#[test]
fn a_version_3_document_holds_paths_and_all_schemas_they_lead_to() {
    let nodes = resource(GroupVersionKind::new("", "v1", "Node"), "nodes", Scope::Cluster);
    let version = GroupVersion::parse("apps/v1").expect("a version");
    let document = v3(&version, &[deployments(), nodes]);
    let patch = &document["paths"]["/apis/apps/v1/namespaces/{namespace}/deployments/{name}"]["patch"];
    assert_eq!(patch["operationId"], "patchAppsV1NamespacedDeployment");
    assert_eq!(patch["x-kubernetes-action"], "patch");
    assert_eq!(
        patch["x-kubernetes-group-version-kind"],
        json!({"group": "apps", "kind": "Deployment", "version": "v1"})
    );
    assert!(patch["requestBody"]["content"]["application/strategic-merge-patch+json"].is_object());
    let names: Vec<_> = patch["parameters"].as_array().into_iter().flatten().map(|p| &p["name"]).collect();
    assert_eq!(names, ["dryRun", "fieldManager", "fieldValidation", "force"]);
    assert!(document["paths"].get("/api/v1/nodes").is_none());
    let text = document.to_string();
    let schemas = document["components"]["schemas"].as_object().expect("schemas");
    for target in text.split("#/components/schemas/").skip(1).filter_map(|rest| rest.split('"').next()) {
        assert!(schemas.contains_key(target), "{target} is missing");
    }
}

/// Without the texts of types and fields.
fn silent(mut schemas: Value) -> Value {
    let Some(all) = schemas.as_object_mut() else { return schemas };
    for schema in all.values_mut() {
        schema["description"].take();
        for field in schema["properties"].as_object_mut().into_iter().flat_map(|fields| fields.values_mut()) {
            field.as_object_mut().map(|field| field.shift_remove("description"));
        }
    }
    schemas
}

#[test]
fn types_and_fields_are_described() {
    let foo = foos(json!({"type": "object", "properties": {}}));
    let version = GroupVersion::parse("e.example.com/v1").expect("a version");
    let schemas = &v3(&version, &[foo])["components"]["schemas"];
    let said = |value: &Value, begins: &str| value["description"].as_str().is_some_and(|said| said.starts_with(begins));
    let foo = &schemas["com.example.e.v1.Foo"]["properties"];
    assert!(said(&foo["apiVersion"], "APIVersion defines") && said(&foo["metadata"], "Standard object's metadata."));
    let meta = &schemas["io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"];
    assert!(said(meta, "ObjectMeta is metadata"));
    assert!(said(&meta["properties"]["creationTimestamp"], "CreationTimestamp is a timestamp"));
}

#[test]
fn schemas_tell_what_the_table_tells() {
    let version = GroupVersion::parse("apps/v1").expect("a version");
    let document = v3(&version, &[deployments()]);
    let schemas = &silent(document["components"]["schemas"].clone());
    let containers = &schemas["io.k8s.api.core.v1.PodSpec"]["properties"]["containers"];
    assert_eq!(
        *containers,
        json!({"type": "array", "items": {"$ref": "#/components/schemas/io.k8s.api.core.v1.Container"},
            "x-kubernetes-list-map-keys": ["name"], "x-kubernetes-list-type": "map",
            "x-kubernetes-patch-merge-key": "name", "x-kubernetes-patch-strategy": "merge"})
    );
    let deployment = &schemas["io.k8s.api.apps.v1.Deployment"];
    assert_eq!(
        deployment["x-kubernetes-group-version-kind"],
        json!([{"group": "apps", "kind": "Deployment", "version": "v1"}])
    );
    assert_eq!(
        deployment["properties"]["spec"],
        json!({"allOf": [{"$ref": "#/components/schemas/io.k8s.api.apps.v1.DeploymentSpec"}], "default": {}})
    );
    assert_eq!(schemas["io.k8s.api.apps.v1.DeploymentSpec"]["required"], json!(["selector", "template"]));
    assert!(schemas["io.k8s.api.autoscaling.v1.Scale"].is_object());
}

#[test]
fn a_version_2_document_has_no_defaults() {
    let document = v2(&[deployments()]);
    assert!(!document.to_string().contains("\"default\""));
    let number = &document["definitions"]["io.k8s.apimachinery.pkg.util.intstr.IntOrString"];
    assert_eq!((&number["type"], &number["format"]), (&json!("string"), &json!("int-or-string")));
    let list = &document["paths"]["/apis/apps/v1/deployments"]["get"];
    assert_eq!(list["operationId"], "listAppsV1DeploymentForAllNamespaces");
}

#[test]
fn custom_resources_are_published_with_their_schema() {
    let schema = json!({"type": "object", "properties": {"spec": {"type": "object", "nullable": true, "description": "",
        "properties": {"a": {"type": "string", "default": "x"}}}}});
    let version = GroupVersion::parse("e.example.com/v1").expect("a version");
    let document = v3(&version, &[foos(schema.clone())]);
    let foo = &document["components"]["schemas"]["com.example.e.v1.Foo"];
    assert_eq!(foo["properties"]["spec"]["properties"]["a"]["default"], "x");
    assert_eq!(
        foo["properties"]["metadata"]["allOf"][0]["$ref"],
        "#/components/schemas/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"
    );
    let patch = &document["paths"]["/apis/e.example.com/v1/foos/{name}"]["patch"];
    assert!(patch["requestBody"]["content"].get("application/strategic-merge-patch+json").is_none());
    let foo = &v2(&[foos(schema)])["definitions"]["com.example.e.v1.Foo"];
    assert_eq!(foo["properties"]["spec"], json!({}));
    let open = &v2(&[foos(json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true}))])["definitions"];
    assert_eq!(open["com.example.e.v1.Foo"]["type"], "object");
}

#[test]
fn the_protobuf_form_begins_with_the_version_of_the_language() {
    let bytes = v2_protobuf(&[deployments()]);
    assert!(bytes.starts_with(b"\x0a\x032.0\x12"));
    assert!(bytes.len() > 10_000);
}
