# Suites that bring a whole cluster of their own beside the one that runs.

# apart COMMAND…: runs it with a network, mounts and processes of its own, which end with it. What its cluster keeps
# lies in a folder ($NAKHODA_STATE) that goes, too.
apart() {
    local state=$ROOT/.cluster/apart status=0
    mkdir -p "$state/logs" /run/netns /run/nakhoda
    NAKHODA_STATE=$state unshare --net --mount --pid --fork --kill-child --mount-proc bash -c '
        ip link set lo up
        mount -t tmpfs none /run/netns
        mount -t tmpfs none /run/nakhoda
        exec "$@"' _ "$@" || status=$?
    # What is mounted went with the namespace, and so did every process; control groups are the host's.
    NAKHODA_STATE=$state bash -c '. scripts/lib/common.sh; . scripts/lib/node.sh; remove_cgroups'
    rmdir /run/netns /run/nakhoda 2>/dev/null || true
    [ $status = 0 ] && rm -rf --one-file-system "$state"
    return $status
}
