// The Node client against the server of KUBECONFIG: create, list by pages, conflict, apply, the patches, an informer, delete.
import assert from 'node:assert/strict';
import * as k8s from '@kubernetes/client-node';

const config = new k8s.KubeConfig();
config.loadFromDefault();
const api = config.makeApiClient(k8s.CoreV1Api);

const codeOf = async (call) => {
    try {
        await call;
    } catch (error) {
        return error.code;
    }
    return 200;
};

async function maps(namespace) {
    for (let number = 0; number < 5; number++) {
        const body = { metadata: { name: `map-${number}`, labels: { odd: `${number % 2}` } }, data: { k: 'v' } };
        await api.createNamespacedConfigMap({ namespace, body, fieldManager: 'creator' });
    }
    const names = [];
    let _continue;
    do {
        const page = await api.listNamespacedConfigMap({ namespace, limit: 2, _continue });
        names.push(...page.items.map((item) => item.metadata.name));
        _continue = page.metadata._continue;
    } while (_continue);
    assert.deepEqual(names, ['map-0', 'map-1', 'map-2', 'map-3', 'map-4']);
}

async function conflict(namespace) {
    const old = await api.readNamespacedConfigMap({ namespace, name: 'map-0' });
    await api.replaceNamespacedConfigMap({ namespace, name: 'map-0', body: { ...old, data: { k: 'w' } } });
    assert.equal(await codeOf(api.replaceNamespacedConfigMap({ namespace, name: 'map-0', body: old })), 409);
}

async function patches(namespace) {
    const send = (name, body, media, more) =>
        api.patchNamespacedConfigMap(
            { namespace, name, body, ...more },
            k8s.setHeaderOptions('Content-Type', media),
        );
    await send('map-2', [{ op: 'add', path: '/data/json', value: '1' }], k8s.PatchStrategy.JsonPatch);
    await send('map-2', { data: { merge: '1' } }, k8s.PatchStrategy.MergePatch);
    const patched = await send('map-2', { data: { strategic: '1' } }, k8s.PatchStrategy.StrategicMergePatch);
    assert.deepEqual(patched.data, { k: 'v', json: '1', merge: '1', strategic: '1' });
    const own = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'map-1' }, data: { k: 'mine' } };
    const apply = (force) => send('map-1', own, k8s.PatchStrategy.ServerSideApply, { fieldManager: 'applier', force });
    assert.equal(await codeOf(apply(undefined)), 409);
    assert.equal((await apply(true)).data.k, 'mine');
}

async function informer(namespace) {
    const path = `/api/v1/namespaces/${namespace}/configmaps`;
    const follow = k8s.makeInformer(config, path, () => api.listNamespacedConfigMap({ namespace }));
    const gone = new Set();
    const all = new Promise((resolve, reject) => {
        follow.on('error', reject);
        follow.on('delete', (object) => gone.add(object.metadata.name).size === 5 && resolve());
    });
    await follow.start();
    assert.equal(follow.list().length, 5);
    await api.deleteCollectionNamespacedConfigMap({ namespace });
    await all;
    await follow.stop();
}

const namespace = (await api.createNamespace({ body: { metadata: { generateName: 'node-' } } })).metadata.name;
for (const flow of [maps, conflict, patches, informer]) {
    await flow(namespace);
}
