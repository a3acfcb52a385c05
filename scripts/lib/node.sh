# Nodes: each in a network namespace of its own, with a containerd that its kubelet owns.

# The disk is the developer's, and other things fill it: its share says little.
EVICTION='memory.available<100Mi,nodefs.available<1Gi,nodefs.inodesFree<1%'

start_node() {
    local node=$1 address root=$CLUSTER/$1
    address=$(node_address "$node")
    make_node_network "$node"
    "$BIN/ctl" pki node "$node" --dir "$PKI" --server "$SERVER" --address "$address"
    mkdir -p "$root" "$RUN/$node"
    service "kubelet-$node" nsenter --net="/run/netns/$(node_netns "$node")" "$BIN/kubelet" \
        --kubeconfig "$PKI/node-$node.conf" --hostname-override "$node" --node-ip "$address" \
        --root-dir "$root" --run-dir "$RUN/$node" --container-runtime managed \
        --client-ca-file "$PKI/ca.crt" --tls-cert-file "$PKI/node-$node.crt" --tls-private-key-file "$PKI/node-$node.key" \
        --cluster-dns "$DNS" --cluster-domain cluster.local --cgroup-root "/nakhoda-$HASH/$node" \
        --eviction-hard "$EVICTION"
}

node_is_ready() {
    ctl get node "$1" -o 'jsonpath={.status.conditions[?(@.type=="Ready")].status}' 2>/dev/null | grep -q True
}

wait_for_nodes() {
    local node
    for node in "$@"; do
        wait_for 30 node_is_ready "$node" || problem "node $node is not Ready" "tail $LOGS/kubelet-$node.log" || return
    done
}

dns_answers() { in_node node-1 "$BIN/dns" query --server "$DNS" kubernetes.default.svc.cluster.local >/dev/null 2>&1; }

wait_for_dns() { wait_for 40 dns_answers || problem "the cluster's DNS does not answer" "$BIN/ctl get pods -n kube-system"; }

# Every process of the nodes' pods stands in our cgroups.
kill_pods() {
    local procs
    for _ in 1 2 3 4 5; do
        procs=$(find /sys/fs/cgroup -path "*/nakhoda-$HASH*" -name cgroup.procs -exec cat {} + 2>/dev/null || true)
        [ -n "$procs" ] || return 0
        # shellcheck disable=SC2086
        kill -KILL $procs 2>/dev/null || true
        sleep 0.2
    done
}

# The containerds and their shims carry our socket folder in their command lines.
kill_runtimes() {
    local pids
    for _ in 1 2 3 4 5; do
        pids=$(pgrep -f -- "$RUN/node-|$CLUSTER/node-" || true)
        [ -n "$pids" ] || return 0
        # shellcheck disable=SC2086
        kill -KILL $pids 2>/dev/null || true
        sleep 0.2
    done
}

remove_cgroups() {
    find /sys/fs/cgroup -depth -type d -path "*/nakhoda-$HASH*" -exec rmdir {} + 2>/dev/null || true
}

# Deepest first; a delete never recurses across a mount.
unmount_below() {
    awk -v a="$1/" 'index($5, a) == 1 { print $5 }' /proc/self/mountinfo | sort -r | while read -r mount; do
        umount -l "$mount" || true
    done
}
