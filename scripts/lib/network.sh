# The cluster's bridge, a network namespace for each node, and the way out for what leaves them.

make_network() {
    make_bridge
    make_way_out
    mkdir -p "$RUN"
    echo "$ROOT" >"$RUN/root"
}

make_bridge() {
    ip link show "$BRIDGE" >/dev/null 2>&1 && return
    ip link add "$BRIDGE" type bridge
    ip addr add "$GATEWAY/24" dev "$BRIDGE"
    ip link set "$BRIDGE" up
}

make_node_network() {
    local node=$1 netns veth
    netns=$(node_netns "$node")
    veth=nkh-${node#node-}
    ip netns list | grep -qw "$netns" && return
    ip netns add "$netns"
    ip link add "$veth" type veth peer name eth0 netns "$netns"
    ip link set "$veth" master "$BRIDGE" up
    ip -n "$netns" link set lo up
    ip -n "$netns" addr add "$(node_address "$node")/24" dev eth0
    ip -n "$netns" link set eth0 up
    ip -n "$netns" route add default via "$GATEWAY"
    in_node "$node" sysctl -qw net.ipv4.ip_forward=1
}

# Not `ip netns exec`: it mounts /sys anew and so hides the cgroups.
in_node() {
    local node=$1
    shift
    nsenter --net="/run/netns/$(node_netns "$node")" "$@"
}

# What leaves the nodes is masqueraded.
make_way_out() {
    sysctl -qw net.ipv4.ip_forward=1
    nft -f - <<-RULES
	table ip $TABLE
	delete table ip $TABLE
	table ip $TABLE {
	    chain postrouting {
	        type nat hook postrouting priority srcnat;
	        ip saddr $SUBNET.0/24 oifname != "$BRIDGE" masquerade
	    }
	}
	RULES
    pass_docker
}

# A dockerd drops what it does not know in FORWARD, save what its chain for exceptions lets through. One that
# comes later takes the chain as it finds it.
pass_docker() {
    local side
    command -v iptables >/dev/null || return 0
    iptables -w -n -L DOCKER-USER >/dev/null 2>&1 || iptables -w -N DOCKER-USER
    for side in -i -o; do
        iptables -w -C DOCKER-USER "$side" "$BRIDGE" -j ACCEPT 2>/dev/null ||
            iptables -w -I DOCKER-USER "$side" "$BRIDGE" -j ACCEPT
    done
}

# A chain that no dockerd has taken up, and a table that then holds nothing, are ours.
unpass_docker() {
    local side
    command -v iptables >/dev/null || return 0
    for side in -i -o; do iptables -w -D DOCKER-USER "$side" "$BRIDGE" -j ACCEPT 2>/dev/null || true; done
    iptables -w -X DOCKER-USER 2>/dev/null || return 0
    nft list table ip filter 2>/dev/null | grep -q 'chain' || nft delete table ip filter 2>/dev/null || true
}

remove_network() {
    local netns veth
    for veth in $(ip -o link show master "$BRIDGE" 2>/dev/null | sed -n 's/^[0-9]*: \([^@:]*\).*/\1/p'); do
        ip link del "$veth" 2>/dev/null || true
    done
    for netns in $(ip netns list | awk '/^nakhoda-node-/ { print $1 }'); do ip netns del "$netns"; done
    ip link del "$BRIDGE" 2>/dev/null || true
    nft delete table ip "$TABLE" 2>/dev/null || true
    unpass_docker
}
