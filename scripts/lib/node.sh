# Nodes: each in a network namespace of its own, with a containerd that its kubelet owns.

# The disk is the developer's, and other things fill it: its share says little.
EVICTION=${EVICTION:-'memory.available<100Mi,nodefs.available<1Gi,nodefs.inodesFree<1%'}

start_node() {
    local node=$1
    make_node_network "$node"
    "$BIN/ctl" pki node "$node" --dir "$PKI" --server "$SERVER" --address "$(node_address "$node")"
    node_flags "$node" "$node"
    service "kubelet-$node" nsenter --net="/run/netns/$(node_netns "$node")" "$BIN/kubelet" \
        --kubeconfig "$PKI/node-$node.conf" --client-ca-file "$PKI/ca.crt" --tls-cert-file "$PKI/node-$node.crt" \
        --tls-private-key-file "$PKI/node-$node.key" --cluster-dns "$DNS" --cluster-domain cluster.local "${flags[@]}"
}

# join_node NODE NAME FLAG…: becomes the kubelet of a machine that joins under a name by what ctl token create
# prints. $KUBELET_ENV is in its environment.
join_node() {
    local node=$1 name=$2
    shift 2
    node_flags "$node" "$name"
    # shellcheck disable=SC2086
    exec nsenter --net="/run/netns/$(node_netns "$node")" env ${KUBELET_ENV:-} "$BIN/kubelet" "$@" "${flags[@]}"
}

# node_flags NODE NAME: sets flags, where a kubelet has what is its own.
node_flags() {
    mkdir -p "$CLUSTER/$1" "$RUN/$1"
    flags=(--hostname-override "$2" --node-ip "$(node_address "$1")" --root-dir "$CLUSTER/$1" --run-dir "$RUN/$1"
        --container-runtime managed --cgroup-root "/nakhoda-$HASH/$1" --eviction-hard "$EVICTION")
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

# kill_pods [NODE]: every process of the nodes' pods stands in our cgroups.
kill_pods() {
    local procs
    for _ in 1 2 3 4 5; do
        procs=$(find /sys/fs/cgroup -path "*/nakhoda-$HASH${1:+/$1}*" -name cgroup.procs -exec cat {} + 2>/dev/null || true)
        [ -n "$procs" ] || return 0
        # shellcheck disable=SC2086
        kill -KILL $procs 2>/dev/null || true
        sleep 0.2
    done
}

# kill_runtimes [NODE]: the containerds and their shims carry our socket folder in their command lines.
kill_runtimes() {
    local pids node=${1:-node-}
    for _ in 1 2 3 4 5; do
        pids=$(pgrep -f -- "$RUN/$node|$CLUSTER/$node" || true)
        [ -n "$pids" ] || return 0
        # shellcheck disable=SC2086
        kill -KILL $pids 2>/dev/null || true
        sleep 0.2
    done
}

# remove_cgroups [NODE]
remove_cgroups() {
    local mount=$RUN/cgroup2
    find /sys/fs/cgroup -depth -type d -path "*/nakhoda-$HASH${1:+/$1}*" -exec rmdir {} + 2>/dev/null || true
    # On version 1 a kubelet sorts its pods in a hierarchy of version 2 that nobody else need have mounted.
    [ ! -e /sys/fs/cgroup/cgroup.controllers ] || return 0
    mkdir -p "$mount"
    if mount -t cgroup2 cgroup2 "$mount" 2>/dev/null; then
        find "$mount" -depth -type d -path "*/nakhoda-$HASH${1:+/$1}*" -exec rmdir {} + 2>/dev/null || true
        umount "$mount"
    fi
    rmdir "$mount"
}

# remove_node NODE: ends and removes all of a machine that joined by itself.
remove_node() {
    kill_runtimes "$1"
    kill_pods "$1"
    kill_runtimes "$1"
    unmount_below "$RUN/$1"
    unmount_below "$CLUSTER/$1"
    remove_cgroups "$1"
    rm -rf --one-file-system "${RUN:?}/$1" "${CLUSTER:?}/$1"
    ip link del "nkh-${1#node-}" 2>/dev/null || true
    ip netns del "$(node_netns "$1")" 2>/dev/null || true
}

# Deepest first; a delete never recurses across a mount.
unmount_below() {
    awk -v a="$1/" 'index($5, a) == 1 { print $5 }' /proc/self/mountinfo | sort -r | while read -r mount; do
        umount -l "$mount" || true
    done
}
