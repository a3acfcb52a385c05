#!/bin/bash
# kubectl.sh KUBECTL: create, apply, patch, watch and what people do with it, against the server of KUBECONFIG.
set -euo pipefail
kubectl=$1
work=$(mktemp -d)
watcher=""
trap '[ -z "$watcher" ] || kill "$watcher" 2>/dev/null || true; rm -rf "$work"' EXIT
export HOME=$work                # what it learns of the server it learns anew
namespace=kubectl-$$
k() { "$kubectl" --namespace "$namespace" "$@"; }

# is WANTED COMMAND…: what it prints.
is() {
    local wanted=$1 got
    shift
    got=$("$@") || return 1
    [ "$got" = "$wanted" ] || { printf '%s\n  prints %s\n  instead of %s\n' "$*" "$got" "$wanted" >&2; return 1; }
}

# refuses TEXT COMMAND…: it fails, and says so.
refuses() {
    local text=$1
    shift
    if "$@" >"$work/out" 2>&1 || ! grep -q "$text" "$work/out"; then
        printf '%s\n  does not fail with %s:\n' "$*" "$text" >&2
        cat "$work/out" >&2
        return 1
    fi
}

deployment() {
    cat <<END
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, labels: {app: web}}
spec:
  replicas: $1
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: "$2", ports: [{containerPort: 80}]}]}
END
}

"$kubectl" create namespace "$namespace" >/dev/null

"$kubectl" --namespace "$namespace" get configmaps --watch --output name >"$work/watched" &
watcher=$!

# create, and read in all forms
is "configmap/a created" k create configmap a --from-literal=k=v
is v k get configmap a -o 'jsonpath={.data.k}'
refuses 'already exists' k create configmap a
refuses 'not found' k get configmap b
refuses 'unknown field "spec.nope"' k create --validate=strict -f - <<<'{"apiVersion": "v1", "kind": "Service", "metadata": {"name": "s"}, "spec": {"nope": 1, "ports": [{"port": 80}]}}'

# apply by the client: make, change, nothing to do, what is left out goes
is "deployment.apps/web created" k apply -f - <<<"$(deployment 1 web:1)"
is "deployment.apps/web configured" k apply -f - <<<"$(deployment 2 web:2)"
is "deployment.apps/web unchanged" k apply -f - <<<"$(deployment 2 web:2)"
is "2 web:2" k get deployment web -o 'jsonpath={.spec.replicas} {.spec.template.spec.containers[0].image}'
if k diff -f - <<<"$(deployment 3 web:2)" >"$work/diff"; then
    echo "diff tells of nothing" >&2
    exit 1
fi
grep -q '^+ *replicas: 3' "$work/diff"

# apply by the server: conflict, force, and who owns what
refuses 'conflict with "kubectl-client-side-apply"' k apply --server-side --field-manager other -f - <<<"$(deployment 2 web:3)"
is "deployment.apps/web serverside-applied" k apply --server-side --force-conflicts --field-manager other -f - <<<"$(deployment 2 web:3)"
k get deployment web -o yaml --show-managed-fields | grep 'manager: other' >/dev/null

# the patches
is "deployment.apps/web patched" k patch deployment web -p '{"spec":{"template":{"spec":{"containers":[{"name":"web","env":[{"name":"A","value":"1"}]}]}}}}'
is "configmap/a patched" k patch configmap a --type=merge -p '{"data":{"k":null,"l":"w"}}'
is "configmap/a patched" k patch configmap a --type=json -p '[{"op":"replace","path":"/data/l","value":"x"}]'
is '{"l":"x"}' k get configmap a -o 'jsonpath={.data}'

# and the rest of a day
is "deployment.apps/web scaled" k scale deployment web --replicas=4
is "deployment.apps/web image updated" k set image deployment/web web=web:4
is "configmap/a labeled" k label configmap a team=blue
k annotate configmap a note=x >/dev/null
is configmap/a k get configmaps -l team=blue -o name
is "service/web exposed" k expose deployment web --port=80
k describe deployment web | grep 'Image: *web:4' >/dev/null
k explain deployment.spec.replicas | grep 'Number of desired pods' >/dev/null
k api-resources --api-group apps -o name | grep -x deployments.apps >/dev/null
is yes k auth can-i create deployments
is "configmap/b created" k create configmap b --from-literal=k=v
is configmap/b k delete configmap b -o name
k delete configmaps --all --wait=true >/dev/null
is "" k get configmap a --ignore-not-found -o name

# what the watch saw of the first one: made, patched twice, labelled, annotated, gone
seen=0
for _ in $(seq 50); do
    seen=$(grep -c '^configmap/a$' "$work/watched" || true)
    [ "$seen" -lt 6 ] || break
    sleep 0.1
done
[ "$seen" = 6 ] || { echo "the watch saw $seen changes instead of 6" >&2; exit 1; }
k delete deployment,service --all >/dev/null
