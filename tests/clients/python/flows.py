"""The Python client against the server of KUBECONFIG: create, list by pages, conflict, apply, the patches, watch, delete,
and a custom kind through the dynamic client."""

import threading
import time

from kubernetes import client, config, dynamic, watch
from kubernetes.client.exceptions import ApiException
from kubernetes.dynamic.exceptions import ResourceNotFoundError

GROUP = "python.clients.example"


def status_of(call, *arguments, **options):
    """The code that a call fails with."""
    try:
        call(*arguments, **options)
    except ApiException as error:
        return error.status
    return 200


def maps(api, namespace):
    for number in range(5):
        body = {"metadata": {"name": f"map-{number}", "labels": {"odd": str(number % 2)}}, "data": {"k": "v"}}
        api.create_namespaced_config_map(namespace, body, field_manager="creator")
    assert status_of(api.create_namespaced_config_map, namespace, body) == 409
    names, token = [], None
    while token != "":
        page = api.list_namespaced_config_map(namespace, limit=2, _continue=token)
        names += [item.metadata.name for item in page.items]
        token = page.metadata._continue or ""
    assert names == [f"map-{number}" for number in range(5)], names
    odd = api.list_namespaced_config_map(namespace, label_selector="odd=1", field_selector="metadata.name!=map-3")
    assert [item.metadata.name for item in odd.items] == ["map-1"], odd


def conflict(api, namespace):
    old = api.read_namespaced_config_map("map-0", namespace)
    new = api.read_namespaced_config_map("map-0", namespace)
    new.data["k"] = "w"
    api.replace_namespaced_config_map("map-0", namespace, new)
    assert status_of(api.replace_namespaced_config_map, "map-0", namespace, old) == 409


def patches(api, namespace):
    api.patch_namespaced_config_map("map-2", namespace, {"data": {"strategic": "1"}})
    api.patch_namespaced_config_map("map-2", namespace, [{"op": "add", "path": "/data/json", "value": "1"}])
    data = api.read_namespaced_config_map("map-2", namespace).data
    assert data == {"k": "v", "strategic": "1", "json": "1"}, data


def apply(base, namespace):
    resource = dynamic.DynamicClient(base).resources.get(api_version="v1", kind="ConfigMap")
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "map-1"}, "data": {"k": "mine"}}
    options = {"body": body, "name": "map-1", "namespace": namespace, "field_manager": "applier"}
    assert status_of(resource.server_side_apply, **options) == 409
    forced = resource.server_side_apply(force_conflicts=True, **options)
    assert forced.data.k == "mine" and len(forced.metadata.managedFields) == 2, forced


def follow(api, namespace):
    """Follows what happens from a list on, and sees all objects go."""
    version = api.list_namespaced_config_map(namespace).metadata.resource_version
    threading.Timer(0.2, lambda: api.delete_collection_namespaced_config_map(namespace)).start()
    stream = watch.Watch()
    gone = set()
    for event in stream.stream(api.list_namespaced_config_map, namespace, resource_version=version, timeout_seconds=30):
        assert event["type"] == "DELETED", event
        gone.add(event["object"].metadata.name)
        if len(gone) == 5:
            stream.stop()
    assert len(gone) == 5, gone


def definition():
    schema = {"type": "object", "properties": {"spec": {"type": "object", "properties": {"size": {"type": "integer"}}}}}
    names = {"plural": "gadgets", "singular": "gadget", "kind": "Gadget"}
    version = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}
    return {
        "metadata": {"name": f"gadgets.{GROUP}"},
        "spec": {"group": GROUP, "scope": "Namespaced", "names": names, "versions": [version]},
    }


def served(base):
    """The resource once discovery has it."""
    for _ in range(200):
        try:
            return dynamic.DynamicClient(base).resources.get(api_version=f"{GROUP}/v1", kind="Gadget")
        except ResourceNotFoundError:
            time.sleep(0.05)
    raise AssertionError("the custom kind is not served")


def custom(base, namespace):
    client.ApiextensionsV1Api(base).create_custom_resource_definition(definition())
    gadgets = served(base)
    body = {"apiVersion": f"{GROUP}/v1", "kind": "Gadget", "metadata": {"name": "one"}, "spec": {"size": 1}}
    gadgets.create(body=body, namespace=namespace)
    assert status_of(gadgets.create, body={**body, "spec": {"size": "x"}, "metadata": {"name": "two"}}, namespace=namespace) == 422
    patch = {"spec": {"size": 2}}
    gadgets.patch(body=patch, name="one", namespace=namespace, content_type="application/merge-patch+json")
    assert gadgets.get(name="one", namespace=namespace).spec.size == 2
    client.ApiextensionsV1Api(base).delete_custom_resource_definition(f"gadgets.{GROUP}")


def main():
    config.load_kube_config()
    base = client.ApiClient()
    api = client.CoreV1Api(base)
    namespace = api.create_namespace({"metadata": {"generateName": "python-"}}).metadata.name
    maps(api, namespace)
    conflict(api, namespace)
    patches(api, namespace)
    apply(base, namespace)
    follow(api, namespace)
    custom(base, namespace)


if __name__ == "__main__":
    main()
