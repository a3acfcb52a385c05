# The contexts that docker-compose.yml builds its images from, and its .env.

CONTEXTS=$ROOT/.cluster/compose
USER_ID=65532 # nobody's on the host

# context NAME ENTRYPOINT: a Dockerfile over what lies in NAME/root; data that the user may write lies in NAME/data.
context() {
    local folder=$CONTEXTS/$1
    printf 'FROM scratch\nCOPY root/ /\nCOPY --chown=%s:%s data/ /\nUSER %s:%s\nENV ETCDCTL_API=3\nENTRYPOINT ["%s"]\n' \
        "$USER_ID" "$USER_ID" "$USER_ID" "$USER_ID" "$2" >"$folder/Dockerfile"
}

compose_images() {
    install_packages haproxy
    rm -rf "$CONTEXTS"
    mkdir -p "$CONTEXTS"/{control-plane,etcd,haproxy}/{root,data}
    local binary
    for binary in apiserver scheduler controller-manager ctl; do
        add "$CONTEXTS/control-plane/root" "$BIN/$binary" "/$binary"
        strip --strip-debug "$CONTEXTS/control-plane/root/$binary"
    done
    mkdir -p "$CONTEXTS/control-plane/root/images" "$CONTEXTS/control-plane/data/"{pki,data} "$CONTEXTS/etcd/data/data" "$CONTEXTS/haproxy/data/tmp"
    cp "$IMAGES"/*.tar "$CONTEXTS/control-plane/root/images/"
    chmod -R a+rX "$CONTEXTS/control-plane/root"
    context control-plane /ctl
    add "$CONTEXTS/etcd/root" "$(command -v etcd)" /etcd
    add "$CONTEXTS/etcd/root" "$(command -v etcdctl)" /etcdctl
    etcd_context
    add "$CONTEXTS/haproxy/root" /usr/sbin/haproxy /haproxy
    add "$CONTEXTS/haproxy/root" /bin/busybox /wget
    context haproxy /haproxy
    echo 'CMD ["-W", "-db", "-f", "/haproxy.cfg"]' >>"$CONTEXTS/haproxy/Dockerfile"
    write_env
}

# What all members have in common. Twice etcd's own times: where three members share a busy machine, those find no leader.
etcd_context() {
    context etcd /etcd
    cat >>"$CONTEXTS/etcd/Dockerfile" <<-'ENV'
	ENV ETCD_DATA_DIR=/data/etcd ETCD_LISTEN_CLIENT_URLS=https://0.0.0.0:2379 ETCD_LISTEN_PEER_URLS=https://0.0.0.0:2380 \
	    ETCD_INITIAL_CLUSTER=etcd-1=https://etcd-1:2380,etcd-2=https://etcd-2:2380,etcd-3=https://etcd-3:2380 \
	    ETCD_HEARTBEAT_INTERVAL=200 ETCD_ELECTION_TIMEOUT=2000 ETCD_INITIAL_CLUSTER_TOKEN=nakhoda ETCD_INITIAL_CLUSTER_STATE=new \
	    ETCD_CERT_FILE=/pki/etcd/server.crt ETCD_KEY_FILE=/pki/etcd/server.key ETCD_CLIENT_CERT_AUTH=true \
	    ETCD_TRUSTED_CA_FILE=/pki/etcd/ca.crt ETCD_PEER_CERT_FILE=/pki/etcd/peer.crt ETCD_PEER_KEY_FILE=/pki/etcd/peer.key \
	    ETCD_PEER_CLIENT_CERT_AUTH=true ETCD_PEER_TRUSTED_CA_FILE=/pki/etcd/ca.crt
	ENV
}

# The address is the one that faces the world, unless NAKHODA_ADDRESS says another; a line that is there stays.
# ENV_FILE: another file than docker-compose looks for.
write_env() {
    local file=${ENV_FILE:-$ROOT/.env} address
    address=${NAKHODA_ADDRESS:-}
    [ -n "$address" ] || [ ! -e "$file" ] || address=$(sed -n 's/^NAKHODA_ADDRESS=//p' "$file")
    address=${address:-$(ip -4 route get 1.1.1.1 2>/dev/null | sed -n 's/.* src \([0-9.]*\).*/\1/p')}
    [ -n "$address" ] || fail "this machine has no default route to take an address from" "NAKHODA_ADDRESS=… scripts/images compose"
    printf 'NAKHODA_ADDRESS=%s\nNAKHODA_ADDONS=%s\n' "$address" "$(cat "$IMAGES/tag")" >"$file"
    echo "machines will join at https://$address:6443 (${file##*/}); next: docker-compose up -d --build"
}
