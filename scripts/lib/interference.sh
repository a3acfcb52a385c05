# What weighing stalls is worth: on three nodes, each with a processor's part of its own so that they contend only
# within themselves, two antagonists burn what they get on two of them, and the third has promised much and does little.
# A victim is placed by the cluster's scheduler, and by one that does not weigh stalls (profile `unweighed`).

VICTIM=$(cat <<'TEXT'
mkdir -p /www/cgi-bin
cat >/www/cgi-bin/work <<'CGI'
#!/bin/sh
i=0; while [ $i -lt 2000 ]; do i=$((i+1)); done
echo "Content-Type: text/plain"; echo; echo done
CGI
busybox chmod 755 /www/cgi-bin/work
exec httpd -f -p 8080 -h /www
TEXT
)
QUOTA=35000      # of 100,000 microseconds: what the pods of a node get
REQUESTS=200     # to each victim, twenty a second
ROUNDS=${ROUNDS:-3}

bench_interference() {
    local round who node p99 weighed=() unweighed=()
    "$BIN/ctl" --kubeconfig "$CLUSTER/kubeconfig" health >/dev/null || fail "no cluster runs" "scripts/up --nodes 3"
    node_is_ready node-3 || fail "the cluster has no three nodes" "scripts/down; scripts/up --nodes 3"
    tests/app-image "$CLUSTER/test-images/app.tar"
    ctl image load "$CLUSTER/test-images/app.tar" >/dev/null
    limit_nodes "$QUOTA"
    trap end_interference EXIT
    start_unweighed
    ctl create namespace interference >/dev/null
    antagonist hog-a node-1
    antagonist hog-b node-2
    load booked default-scheduler 800m "kubernetes.io/hostname: node-3" "exec sleep 100000"
    for who in hog-a hog-b booked; do ctl rollout status "deployment/$who" -n interference --timeout=120s >/dev/null; done
    wait_for 90 stalled node-1 && wait_for 90 stalled node-2 || fail "no stalls are measured" "ctl get nodepressures"
    ctl get nodepressures
    for ((round = 1; round <= ROUNDS; round++)); do
        for who in unweighed default-scheduler; do
            load victim "$who" 50m "kubernetes.io/os: linux" "$VICTIM"
            ctl rollout status deployment/victim -n interference --timeout=120s >/dev/null
            node=$(victim .spec.nodeName)
            p99=$(tail_latency "$node" "$(victim .status.podIP)")
            printf 'round %s  %-18s on %s  p99 %6.1f ms\n' "$round" "$who" "$node" "$p99"
            [ "$who" != default-scheduler ] || ctl why deployment/victim -n interference | grep -E 'scheduler|node node' || true
            [ "$who" = unweighed ] && unweighed+=("$p99") || weighed+=("$p99")
            ctl delete deployment victim -n interference --wait=true >/dev/null
            wait_for 60 no_victim || fail "the victim does not end"
        done
    done
    printf '%-45s %9.1f ms\n' "p99, stalls weighed, median" "$(median "${weighed[@]}")" \
        "p99, stalls not weighed, median" "$(median "${unweighed[@]}")"
}

# limit_nodes QUOTA: -1 takes it back.
limit_nodes() {
    local node cpu=/sys/fs/cgroup/cpu group
    for node in node-1 node-2 node-3; do
        if [ -e /sys/fs/cgroup/cgroup.controllers ]; then
            group=/sys/fs/cgroup/nakhoda-$HASH/$node
            [ ! -d "$group" ] || echo "${1/#-1/max} 100000" >"$group/cpu.max"
        else
            group=$cpu/nakhoda-$HASH/$node
            [ ! -d "$group" ] || echo "$1" >"$group/cpu.cfs_quota_us"
        fi
    done
}

start_unweighed() {
    cat >"$CLUSTER/unweighed.yaml" <<YAML
apiVersion: kubescheduler.config.k8s.io/v1
kind: KubeSchedulerConfiguration
leaderElection: {leaderElect: false}
profiles:
  - schedulerName: unweighed
    plugins: {score: {disabled: [{name: Interference}]}}
YAML
    "$BIN/scheduler" --kubeconfig "$PKI/scheduler.conf" --config "$CLUSTER/unweighed.yaml" --health-address 127.0.0.1:0 \
        >"$LOGS/unweighed.log" 2>&1 &
    unweighed_pid=$!
}

end_interference() {
    kill "$unweighed_pid" 2>/dev/null || true
    ctl delete namespace interference >/dev/null 2>&1 || true
    limit_nodes -1
    rm -f "$CLUSTER/unweighed.yaml"
}

antagonist() { load "$1" default-scheduler 10m "kubernetes.io/hostname: $2" 'while :; do :; done & while :; do :; done'; }

# load NAME SCHEDULER CPU SELECTOR COMMAND: a Deployment of one pod.
load() {
    ctl apply -n interference -f - >/dev/null <<YAML
apiVersion: apps/v1
kind: Deployment
metadata: {name: $1}
spec:
  selector: {matchLabels: {app: $1}}
  template:
    metadata: {labels: {app: $1}}
    spec:
      schedulerName: $2
      terminationGracePeriodSeconds: 0
      nodeSelector: {$4}
      containers:
        - name: c
          image: nakhoda-test/app:1
          resources: {requests: {cpu: $3}}
          command:
            - /bin/sh
            - -c
            - |
$(sed 's/^/              /' <<<"$5")
YAML
}

stalled() { [ "$(ctl get nodepressure "$1" -o 'jsonpath={.node.cpu.some}' 2>/dev/null || echo 0)" -ge 40 ]; }

victim() { ctl get pods -n interference -l app=victim -o "jsonpath={.items[0]$1}"; }

no_victim() { [ -z "$(ctl get pods -n interference -l app=victim -o name)" ]; }

# tail_latency NODE ADDRESS: the 99th of a hundred, in milliseconds; asked from the victim's own node.
tail_latency() {
    in_node "$1" curl --silent --output /dev/null --rate 20/s --retry 5 --retry-connrefused --max-time 60 \
        --write-out '%{time_total}\n' "http://$2:8080/cgi-bin/work?[1-$REQUESTS]" |
        sort -n | awk '{ all[NR] = $1 } END { print all[int((NR * 99 + 99) / 100)] * 1000 }'
}

median() { printf '%s\n' "$@" | sort -n | awk '{ all[NR] = $1 } END { print all[int((NR + 1) / 2)] }'; }
