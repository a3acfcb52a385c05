import io.kubernetes.client.custom.V1Patch;
import io.kubernetes.client.informer.ResourceEventHandler;
import io.kubernetes.client.informer.SharedInformerFactory;
import io.kubernetes.client.openapi.ApiClient;
import io.kubernetes.client.openapi.ApiException;
import io.kubernetes.client.openapi.apis.CoreV1Api;
import io.kubernetes.client.openapi.models.V1ConfigMap;
import io.kubernetes.client.openapi.models.V1ConfigMapList;
import io.kubernetes.client.openapi.models.V1Namespace;
import io.kubernetes.client.openapi.models.V1ObjectMeta;
import io.kubernetes.client.util.ClientBuilder;
import io.kubernetes.client.util.generic.GenericKubernetesApi;
import io.kubernetes.client.util.generic.options.CreateOptions;
import io.kubernetes.client.util.generic.options.ListOptions;
import io.kubernetes.client.util.generic.options.PatchOptions;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/** The Java client against the server of KUBECONFIG: create, list by pages, conflict, apply, the patches, a watch, an informer, delete. */
public final class Flows {
    private static final int MAPS = 5;
    private static final long PATIENCE = 30;

    private final ApiClient client;
    private final CoreV1Api core;
    private final GenericKubernetesApi<V1ConfigMap, V1ConfigMapList> maps;
    private final String namespace;

    private Flows(ApiClient client) throws ApiException {
        this.client = client;
        core = new CoreV1Api(client);
        maps = new GenericKubernetesApi<>(V1ConfigMap.class, V1ConfigMapList.class, "", "v1", "configmaps", client);
        V1Namespace fresh = new V1Namespace().metadata(new V1ObjectMeta().generateName("java-"));
        namespace = core.createNamespace(fresh).execute().getMetadata().getName();
    }

    public static void main(String[] arguments) throws Exception {
        Flows flows = new Flows(ClientBuilder.standard().build());
        flows.pages();
        flows.conflict();
        flows.patches();
        flows.apply();
        flows.watch();
        flows.informer();
        System.exit(0); // okhttp's threads would keep the process for a minute
    }

    private static void must(boolean holds, Object told) {
        if (!holds) {
            throw new AssertionError(told);
        }
    }

    private static V1ConfigMap map(int number) {
        V1ObjectMeta metadata = new V1ObjectMeta().name("map-" + number).putLabelsItem("odd", "" + number % 2);
        return new V1ConfigMap().metadata(metadata).data(Map.of("k", "v"));
    }

    private void make() throws ApiException {
        for (int number = 0; number < MAPS; number++) {
            maps.create(namespace, map(number), new CreateOptions().fieldManager("creator")).throwsApiException();
        }
    }

    private void pages() throws ApiException {
        make();
        must(maps.create(namespace, map(0), new CreateOptions()).getHttpStatusCode() == 409, "made twice");
        List<String> names = new ArrayList<>();
        ListOptions options = new ListOptions().limit(2);
        do {
            V1ConfigMapList page = maps.list(namespace, options).throwsApiException().getObject();
            page.getItems().forEach(item -> names.add(item.getMetadata().getName()));
            options = new ListOptions().limit(2)._continue(page.getMetadata().getContinue());
        } while (options.getContinue() != null && !options.getContinue().isEmpty());
        must(names.equals(List.of("map-0", "map-1", "map-2", "map-3", "map-4")), names);
        ListOptions odd = new ListOptions().labelSelector("odd=1").fieldSelector("metadata.name!=map-3");
        must(maps.list(namespace, odd).throwsApiException().getObject().getItems().size() == 1, "selectors");
    }

    private void conflict() throws ApiException {
        V1ConfigMap old = maps.get(namespace, "map-0").throwsApiException().getObject();
        V1ConfigMap changed = maps.get(namespace, "map-0").throwsApiException().getObject().data(Map.of("k", "w"));
        maps.update(changed).throwsApiException();
        must(maps.update(old).getHttpStatusCode() == 409, "an update of what is gone");
    }

    private void patches() throws ApiException {
        Map<String, String> patches = Map.of(
            V1Patch.PATCH_FORMAT_JSON_PATCH, "[{\"op\": \"add\", \"path\": \"/data/json\", \"value\": \"1\"}]",
            V1Patch.PATCH_FORMAT_JSON_MERGE_PATCH, "{\"data\": {\"merge\": \"1\"}}",
            V1Patch.PATCH_FORMAT_STRATEGIC_MERGE_PATCH, "{\"data\": {\"strategic\": \"1\"}}");
        for (Map.Entry<String, String> patch : patches.entrySet()) {
            maps.patch(namespace, "map-2", patch.getKey(), new V1Patch(patch.getValue())).throwsApiException();
        }
        Map<String, String> data = maps.get(namespace, "map-2").throwsApiException().getObject().getData();
        must(data.equals(Map.of("k", "v", "json", "1", "merge", "1", "strategic", "1")), data);
    }

    private void apply() throws ApiException {
        V1Patch own = new V1Patch("{\"apiVersion\": \"v1\", \"kind\": \"ConfigMap\", \"data\": {\"k\": \"mine\"}}");
        PatchOptions options = new PatchOptions().fieldManager("applier").force(false);
        String format = V1Patch.PATCH_FORMAT_APPLY_YAML;
        must(maps.patch(namespace, "map-1", format, own, options).getHttpStatusCode() == 409, "another's field is applied");
        options.setForce(true);
        V1ConfigMap forced = maps.patch(namespace, "map-1", format, own, options).throwsApiException().getObject();
        must(forced.getData().get("k").equals("mine"), forced);
    }

    /** Follows what happens from a list on, and sees all objects go. */
    private void watch() throws Exception {
        String version = maps.list(namespace).throwsApiException().getObject().getMetadata().getResourceVersion();
        try (var events = maps.watch(namespace, new ListOptions().resourceVersion(version))) {
            core.deleteCollectionNamespacedConfigMap(namespace).execute();
            Set<String> gone = new HashSet<>();
            while (gone.size() < MAPS) {
                var event = events.next();
                must(event.type.equals("DELETED"), event.object);
                gone.add(event.object.getMetadata().getName());
            }
        }
    }

    private void informer() throws Exception {
        make();
        Set<String> held = ConcurrentHashMap.newKeySet();
        CountDownLatch filled = new CountDownLatch(MAPS);
        CountDownLatch emptied = new CountDownLatch(MAPS);
        SharedInformerFactory factory = new SharedInformerFactory(client);
        factory.sharedIndexInformerFor(maps, V1ConfigMap.class, 0, namespace).addEventHandler(new ResourceEventHandler<>() {
            @Override
            public void onAdd(V1ConfigMap object) {
                held.add(object.getMetadata().getName());
                filled.countDown();
            }

            @Override
            public void onUpdate(V1ConfigMap before, V1ConfigMap after) {}

            @Override
            public void onDelete(V1ConfigMap object, boolean unknown) {
                held.remove(object.getMetadata().getName());
                emptied.countDown();
            }
        });
        factory.startAllRegisteredInformers();
        must(filled.await(PATIENCE, TimeUnit.SECONDS) && held.size() == MAPS, held);
        core.deleteCollectionNamespacedConfigMap(namespace).execute();
        must(emptied.await(PATIENCE, TimeUnit.SECONDS) && held.isEmpty(), held);
        factory.stopAllRegisteredInformers();
    }
}
