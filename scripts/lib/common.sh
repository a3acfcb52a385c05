# What all scripts share: where things lie, how phases are told, how they fail.
set -euo pipefail

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)
CLUSTER=${NAKHODA_STATE:-$ROOT/.cluster}   # what a cluster keeps; suites that bring their own have another
HASH=$(printf %s "$CLUSTER" | sha256sum | cut -c1-8)
RUN=/run/nakhoda/$HASH          # sockets: a unix path ends at 107 bytes
BIN=$ROOT/.cluster/bin
PKI=$CLUSTER/pki
LOGS=$CLUSTER/logs
SERVICES=$CLUSTER/services
IMAGES=$ROOT/.cluster/images     # what the API server hands to the nodes
PROFILE=${PROFILE:-release}     # dev builds faster and runs slower

BRIDGE=nakhoda0
SUBNET=172.30.93
GATEWAY=$SUBNET.1               # the bridge, and the address that the API server advertises
SERVER=https://$GATEWAY:6443
SERVICE_CIDR=10.96.0.0/16
POD_CIDR=10.244.0.0/16
DNS=10.96.0.10
TABLE=nakhoda_host              # our nft table on the host
BINARIES=(apiserver scheduler controller-manager kubelet proxy dns ctl)

node_netns() { echo "nakhoda-$1"; }
node_address() { echo "$SUBNET.$((10 + ${1#node-}))"; }

# phase TEXT COMMAND…: one line with a tick and its seconds; on failure the cause, the fix and the log.
phase() {
    local text=$1 start log=$LOGS/up.log
    shift
    mkdir -p "$LOGS"
    start=$(date +%s%N)
    [ -t 1 ] && printf '  … %s' "$text"
    # In a subshell outside of any condition, so that `set -e` holds inside the phase.
    local status=0
    set +e
    (set -e; "$@") >"$log" 2>&1
    status=$?
    set -e
    if [ $status = 0 ]; then
        printf '%s  ✓ %s (%s s)\n' "$([ -t 1 ] && printf '\r')" "$text" "$(seconds_since "$start")"
        return
    fi
    printf '%s  ✗ %s\n' "$([ -t 1 ] && printf '\r')" "$text"
    fail "$(grep -v '^ *$' "$log" | grep -v '^FIX: ' | tail -n 1)" "$(sed -n 's/^FIX: //p' "$log" | tail -n 1)" "$log"
}

# fail CAUSE [FIX [LOG]]
fail() {
    echo "cause: $1" >&2
    echo "to do: ${2:-read the log}" >&2
    [ -n "${3:-}" ] && echo "log:   $3" >&2
    if [ "$(type -t on_failure)" = function ]; then on_failure; fi
    exit 1
}

# problem CAUSE FIX: inside a phase, fails it.
problem() {
    echo "FIX: $2"
    echo "$1"
    return 1
}

seconds_since() { awk -v a="$1" -v b="$(date +%s%N)" 'BEGIN { printf "%.1f", (b - a) / 1e9 }'; }

# wait_for SECONDS COMMAND…: until it succeeds.
wait_for() {
    local end=$(($(date +%s) + $1))
    shift
    until "$@"; do
        [ "$(date +%s)" -lt "$end" ] || return 1
        sleep 0.1
    done
}

ctl() { "$BIN/ctl" --kubeconfig "$CLUSTER/kubeconfig" "$@"; }
